"""How each wire says a reply, an error, and an error in mid-stream. One file per wire, collected in `WIRES`."""
