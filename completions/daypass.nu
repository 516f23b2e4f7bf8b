def daypass-ask [shell: string, words: list<string>] {
    with-env {DAYPASS_COMPLETE: $shell} { ^daypass -- ...$words } | lines
}
def daypass-complete [words: list<string>] {
    daypass-ask nushell $words | split column "\t" value description | update value {|row| if $row.value =~ ' ' { $"`($row.value)`" } else { $row.value } }
}
$env.config.completions.external.completer = do {
    let others = $env.config.completions.external.completer?
    {|words|
        let ours = $words.0 == "daypass"
        let command = if $ours and "exec" in $words { daypass-ask command $words | get 0? }
        let words = $words | skip ($command | default 0 | into int)
        if $ours and $command == null {
            daypass-complete $words
        } else if $ours and ($words | length) == 1 and $words.0 !~ '[/\\]' {
            $env.PATH | where { path exists } | each { ls $in | get name | path basename } | flatten | where { str starts-with $words.0 } | uniq | sort
        } else if $others != null {
            do $others $words
        }
    }
}
