"""What the person, the project, the environment and the command line say."""
