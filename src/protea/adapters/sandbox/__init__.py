"""Ways to run a command: one file each (`none`, `bubblewrap`, `docker`), named after what keeps it in. Behind them:

a command           _warden (the process that starts it), _supervised (Protea's side of that)
for all walls       _options, _places (what a workspace has and shows), _survey (what in it steers others),
                    _ready (before the first command)
bubblewrap          _mounts, _stand_ins (for names that must not come to be), _seccomp, _groups (limits of all),
                    _gitconfig, _discarding (writes that do not stay), _obstacles (why it cannot work here)
its network         _egress (a proxy with a list of hosts), _netns
containers          _engine (the API), _container (one command), _keeper (its first process)
"""
