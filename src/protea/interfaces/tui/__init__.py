"""The full-screen face, over a gateway and nothing else. docs/tui.md tells what it does. What is where:

opening it      run, app, later (a gateway whose sessions are still opening), opening (a session as a tab)
the screen      screen, front (what others may ask of it), desk (what its tabs share), tab, tabbar, panes/, files (what
                some of those show; watched)
a tab           transcript/, pictures/, card (a question), strips, composer/, suggestions, welcome, state
keys            keys (the tables), pressing (whose a key is), doing (what actions do), which_key
lists           picker, menus (what stands in each), going_back, changes (of a file, in little room), fuzzy
the terminal    driver, writer, painting, background, frame (what the first frame shares with the screen)
how it looks    themes, line, status, remembered
who is away     calling, announcing (for a screen reader)
"""
