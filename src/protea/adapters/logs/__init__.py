"""What Protea says of itself to whoever looks for a fault."""
