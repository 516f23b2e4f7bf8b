# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
fn NAME {|@words|
    if (or (has-value $words -h) (has-value $words --help)) {
        daypass env --help
    } else {
        eval (daypass env --dp --shell elvish $@words | slurp)
    }
}
edit:add-var NAME~ $NAME~
