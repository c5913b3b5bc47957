"""The use cases: one turn, the tool calls in it, the questions it raises, the sessions it belongs to.

Imports domain and ports; everything outside comes in through them. What is where:

    a turn          turn, asking (the model), hooked_turn, run_ahead (commands a prompt brings), by_hand (asks no model)
    its calls       tool_runner, running_call (what one may use of its surroundings)
    a session       session, parts (what it is made of), past (what its log amounts to), hub (its events)
    its work        obeying (commands), worker (the queue of prompts), turns (what each is made of)
    its model       lineup (who speaks, who stands in), window (what is shown of the conversation), budgets
    what it asks    approvals, hooks, auditing, looking (files of the project that nobody has looked at)
    what it knows   nearby (instructions of folders), mentions (what a prompt points at), capabilities
    beside it       beside (what a call sets going), leaving (calls go on), tasks, planning, delegation, envelope
    changing it     swapping, rereading (the configuration has changed), rewinding, undoing
    after a crash   recovering (what was open), reviving (tasks)
    for faces       sessions (the gateway), slash_commands (what each does: slash), description, meter, replaying
    what is over    ending (waits for it, however often whoever waits is cancelled)
    for onlookers   watching (telemetry, calls for a person), journal (the log of the process)
"""
