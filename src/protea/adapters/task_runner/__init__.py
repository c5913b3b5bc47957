"""What runs work beside sessions."""
