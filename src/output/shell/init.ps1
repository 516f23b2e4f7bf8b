# NAME PROFILE loads its credentials into this shell, NAME lets you pick a role, NAME - clears them.
function NAME {
    if ($args -contains '-h' -or $args -contains '--help') { daypass env --help; return }
    $words = if ($args.Count -eq 0) { @('--pick') } elseif ($args[0] -eq '-') { @('--unset') } else { $args }
    $script = daypass env --shell powershell @words | Out-String
    if ($LASTEXITCODE -eq 0) { Invoke-Expression $script }
}
Register-ArgumentCompleter -CommandName NAME -ScriptBlock {
    param($commandName, $parameterName, $wordToComplete)
    $env:DAYPASS_COMPLETE = 'powershell'
    try { daypass -- daypass env $wordToComplete | ForEach-Object { $_.Split("`t")[0] } }
    finally { Remove-Item Env:DAYPASS_COMPLETE }
}
