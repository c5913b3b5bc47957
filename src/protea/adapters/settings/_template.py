"""The `config.toml` of a first run: everything commented out, so that it says what could be and changes nothing."""

TEMPLATE = """\
# Protea's settings. Every line that begins with # is an example and does nothing; take the # away to use it.
# Order, later wins: this file < .protea/config.toml of a trusted project < environment < flags.
# `protea config show` tells what is in force and who said so.

# model = "anthropic/claude-sonnet-4-5"     # provider/model; PROTEA_MODEL and --model do the same
# effort = "medium"                         # low, medium, high ...
# fallback = ["openai/gpt-5.1"]             # asked in this order when the model cannot be reached
# profile = "coding"
# proxy_url = "http://127.0.0.1:3128"       # an HTTP proxy for all providers
# socket_path = "/run/user/1000/protea.sock"

# [permissions]
# mode = "normal"                           # normal, plan or yolo
# allow = ["Bash(git status)", "Read(//usr/share/doc/**)"]
# ask = []
# deny = ["Bash(git push:*)"]

# [limits]
# max_turns = 100                           # replies of the model per prompt
# budget_usd = 2.5                          # dollars per prompt
# time_limit = 1800                         # seconds per prompt

# [budgets]                                 # dollars; what would pass one is not asked
# session = 5.0
# day = 20.0                                # all sessions together
# profiles = { coding = 15.0 }              # a day, by profile

# [log]
# level = "warning"                         # debug, info, warning, error, or by area: "providers=debug,mcp=info"
# format = "json"                           # an object for programs on each line, instead of text for people

# What fills a port, whatever the profile: `protea ports` lists them.
# [ports.notifier]
# adapter = "bell"                          # calls you at the end of a long turn; "desktop" shows a message
# [ports.clipboard]
# adapter = "osc52"                         # the terminal's, for /copy; "system" for the desktop's
# [ports.telemetry]
# adapter = "log"                           # spans and counters as JSON lines, logs/telemetry.jsonl

# A provider of your own:
# [providers.acme]
# api = "openai-chat"                       # openai-chat, openai-responses, anthropic, gemini or ollama
# base_url = "http://127.0.0.1:8080/v1"
# api_key_env = "ACME_API_KEY"              # or api_key_command = ["pass", "acme"], or api_key_file = "~/acme.key"
# headers = { X-Team = "a" }
# [providers.acme.models."big-1"]
# context = 200000
# price = { input = 3.0, output = 15.0, cache_read = 0.3, cache_write = 3.75 }    # dollars per million tokens
"""
