# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
def --env --wrapped NAME [...words: string@"nu-complete NAME"] {
    if ("-h" in $words) or ("--help" in $words) {
        ^daypass env --help
    } else {
        let set = (^daypass env --dp --shell nushell ...$words)
        $set | from json | load-env
    }
}
def "nu-complete NAME" [line: string] {
    daypass-complete (["daypass" "env"] | append ($line | split row --regex '\s+' | skip 1))
}
