"""Prints the access key IDs that boto3 or the AWS CLI would sign with, one line for each arrangement on standard input: variables
separated by NUL, the first the name of the profile that code or --profile names, or nothing. The argument is boto3 or cli1."""

import contextlib
import io
import os
import sys


def boto3_key(profile):
    import boto3

    return boto3.Session(profile_name=profile or None).get_credentials().get_frozen_credentials().access_key


def cli_key(profile):
    """The service answers with the ID of the key that signed the request."""
    import awscli
    from awscli.clidriver import create_clidriver

    os.environ["AWS_DATA_PATH"] = os.path.join(os.path.dirname(awscli.__file__), "data")  # As the import sets it, once.
    output, errors = io.StringIO(), io.StringIO()
    arguments = ["sts", "get-caller-identity", "--query", "UserId", "--output", "text"]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = create_clidriver().main(arguments + (["--profile", profile] if profile else []))
    if status:
        raise RuntimeError(errors.getvalue())
    return output.getvalue().strip()


key = {"boto3": boto3_key, "cli1": cli_key}[sys.argv[1]]
for line in sys.stdin:
    profile, *variables = line.rstrip("\n").split("\0")
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in variables)
    try:
        found = key(profile)
    except Exception as error:  # Whatever an SDK raises is its answer.
        found = f"ERR {type(error).__name__} {error}"
    print(" ".join(found.split()), flush=True)
