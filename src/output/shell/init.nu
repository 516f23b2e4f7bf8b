# NAME PROFILE loads its credentials into this shell, NAME lets you pick a role, NAME - clears them.
def --env --wrapped NAME [...words: string@"nu-complete NAME"] {
    if ("-h" in $words) or ("--help" in $words) {
        ^daypass env --help
    } else {
        let call = if ($words | is-empty) { ["--pick"] } else if $words.0 == "-" { ["--unset"] } else { $words }
        let set = (^daypass env --shell nushell ...$call)
        $set | from json | load-env
    }
}
def "nu-complete NAME" [line: string] {
    daypass-complete (["daypass" "env"] | append ($line | split row --regex '\s+' | skip 1))
}
