"""Runs AWS CLI commands, each a JSON array of arguments on one line of standard input, and prints a JSON object for each: the exit status,
what the command printed, and its error."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver

for line in sys.stdin:
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = create_clidriver().main(json.loads(line))
    print(json.dumps({"status": status, "output": output.getvalue(), "error": errors.getvalue()}), flush=True)
