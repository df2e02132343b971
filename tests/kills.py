"""How a program for a process of its own begins, to die in the midst of its work."""

COUNTED = """
import os, sys

left = int(sys.argv[3])

def counted(real):
    def call(*words, **more):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return real(*words, **more)
    return call
"""
"""`counted(function)` may be called so many times as the program's third word says; then it dies
with 9, as if by a kill.
"""
