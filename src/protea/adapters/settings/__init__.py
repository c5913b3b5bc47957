"""What the person, the project, the environment and the command line say. Opened by composition at every start.

what is in force    files, profiles; _parsing (text, and places in it), _checking (key by key), _regular (files only)
who may say it      trust (of a project's own files), lock_file (pins of a profile)
writing             _writing (one key), _template (the file of a first run), foreign (what other agents were told)
for people          _describing (the schema's words)
"""
