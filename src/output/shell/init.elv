# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
fn NAME {|@words|
    if (or (has-value $words -h) (has-value $words --help)) {
        daypass env --help
        return
    }
    var script = ''
    try {
        set script = (daypass env --dp --shell elvish $@words | slurp)
    } catch error {
        # daypass has printed its own error.
        if (has-key $error[reason] exit-status) { return }
        fail $error
    }
    eval $script
}
edit:add-var NAME~ $NAME~
