"""What files a project has."""
