"""Runs a program on a pseudo-terminal of its own:

    python3 on-terminal.py COLUMNS ROWS PROGRAM ARGUMENTS...

What it shows goes to standard output as it is, with ESC[8;ROWS;COLUMNSt where the size has changed. A line of JSON on standard input is what a person does meanwhile:
{"type": "text"} or {"size": [COLUMNS, ROWS]}. How it ended is the last line of standard error, as JSON.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

columns, rows, *command = sys.argv[1:]
screen, terminal = pty.openpty()


def resize(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


resize(columns, rows)
before = termios.tcgetattr(terminal)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)  # Ctrl-C and new sizes become signals
    for stream in range(3):
        os.dup2(terminal, stream)
    os.execvp(command[0], command)

waiting = b""
told = [sys.stdin.fileno()]
status = None
while True:
    ready, _, _ = select.select([screen, *told], [], [], 0.05)
    if screen in ready:
        os.write(sys.stdout.fileno(), os.read(screen, 65536))
    for source in [each for each in told if each in ready]:
        read = os.read(source, 65536)
        if not read:
            told = []
        waiting += read
        *lines, waiting = waiting.split(b"\n")
        for line in lines:
            deed = json.loads(line)
            if "size" in deed:
                columns, rows = deed["size"]
                while select.select([screen], [], [], 0)[0]:  # what was drawn on the terminal as it was
                    os.write(sys.stdout.fileno(), os.read(screen, 65536))
                os.write(sys.stdout.fileno(), b"\x1b[8;%d;%dt" % (rows, columns))
                resize(columns, rows)
            else:
                os.write(screen, deed["type"].encode())
    if status is not None and screen not in ready:
        break
    if status is None:
        ended, found = os.waitpid(child, os.WNOHANG)
        status = found if ended == child else None

after = termios.tcgetattr(terminal)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "isAsBefore": before == after}), file=sys.stderr)
