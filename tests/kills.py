"""The beginning of a test program that ends in the middle of its work, as if killed."""

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
"""The program's third argument is how often `counted(function)` may be called. The next call ends
the process with exit code 9.
"""
