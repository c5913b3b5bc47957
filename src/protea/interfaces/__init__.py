"""The faces: each turns keys or lines into commands and events into drawing, and holds nothing but the gateway."""
