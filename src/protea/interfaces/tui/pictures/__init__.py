"""Pictures in the conversation, where the terminal can draw them. Nothing of it is loaded before there is one.

asking      how the terminal draws them; between asks tmux, where it stands in the way
making      a picture as what a terminal is sent, row by row
gallery     those of one screen, each made once
"""
