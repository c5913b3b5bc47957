"""Engines that fill the permission port: `rules` is the real one, `everything_asks` the one that trusts nobody.

The decision itself is pure: domain/permission/. Here is what it must be told of the disk:

rules               opens the rules, looks (_disk), reads scripts a second time (_tree), asks the domain
_nested, untouched  repositories within the project's, and one nobody has trusted: do they make git run anything
_history            what a remote was seen to have of the branch
_scripts            the scripts a command would run, by whose words an approval holds
"""
