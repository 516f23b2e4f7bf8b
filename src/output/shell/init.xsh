# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
def _daypass_function(args):
    if '-h' in args or '--help' in args:
        daypass env --help
    else:
        script = $(daypass env --dp --shell xonsh @(args))
        if script:
            execx(script)
aliases['NAME'] = _daypass_function
