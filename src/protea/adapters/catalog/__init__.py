"""What models exist, their windows and prices."""
