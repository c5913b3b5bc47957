"""The only code that knows ports and adapters: names, their choice, and the root that joins them. What is where:

the root        root, launch (what the process was started with), surroundings, rules, models, profiles
adapters        catalogue (their names), resolve (from a name to an adapter), deferred, brought, walls (the sandbox)
a project       trusting, rereading (what has changed), locking
for commands    configuration, checkup, auditing, adopting, installing, plugins, validating, recording, crash
"""
