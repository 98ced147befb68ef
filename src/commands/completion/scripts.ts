/** What each shell runs. They know nothing of our commands: `kuik __complete` does. */

const bash = `# kuik completion bash
_kuik_complete() {
    # the words as they are typed: bash itself would split them at : and =
    local typed=\${COMP_LINE:0:COMP_POINT} current='' out directive line value
    local -a words=()
    read -ra words <<< "$typed"
    if [[ $typed == *[[:space:]] ]]; then words+=(''); fi
    current=\${words[\${#words[@]}-1]}
    out=$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null) || return
    directive=\${out##*:}
    COMPREPLY=()
    while IFS= read -r line; do
        value=\${line%%$'\\t'*}
        if [[ $value == "$current"* ]]; then COMPREPLY+=("$value"); fi
    done <<< "\${out%:*}"
    if [[ \${COMPREPLY[0]-x} == '' ]]; then COMPREPLY=("\${COMPREPLY[@]:1}"); fi
    if (( directive & 2 )); then compopt -o nospace 2>/dev/null; fi
    if (( (directive & 4) == 0 && \${#COMPREPLY[@]} == 0 )); then compopt -o default 2>/dev/null; fi
    # what stands before the last : or = is not replaced by bash
    if [[ $COMP_WORDBREAKS == *:* && $current == *[:=]* ]]; then
        local front=\${current%"\${current##*[:=]}"}
        COMPREPLY=("\${COMPREPLY[@]#"$front"}")
    fi
}
complete -F _kuik_complete kuik kubectl-kuik
`;

const zsh = `#compdef kuik kubectl-kuik
# kuik completion zsh
_kuik_complete() {
    local out line value directive
    local -a lines candidates nospace
    out=$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null) || return
    lines=("\${(@f)out}")
    directive=\${lines[-1]#:}
    for line in "\${(@)lines[1,-2]}"; do
        value=\${line%%$'\\t'*}
        [[ -n $value ]] || continue
        if [[ $line == *$'\\t'* ]]; then candidates+=("\${value//:/\\\\:}:\${line#*$'\\t'}"); else candidates+=("\${value//:/\\\\:}"); fi
    done
    if (( directive & 2 )); then nospace=(-S ''); fi
    if (( \${#candidates} > 0 )); then
        _describe -V kuik candidates "\${nospace[@]}"
    elif (( (directive & 4) == 0 )); then
        _files
    fi
}
compdef _kuik_complete kuik kubectl-kuik
`;

const fish = `# kuik completion fish
function __kuik_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l out ($program __complete $words (commandline -ct | string collect --allow-empty) 2>/dev/null)
    test (count $out) -gt 0; or return
    set -l directive (string replace : '' -- $out[-1])
    set -e out[-1]
    if test (count $out) -gt 0
        printf '%s\\n' $out
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path (commandline -ct)
    end
end
complete -c kuik -f -k -a '(__kuik_complete)'
complete -c kubectl-kuik -f -k -a '(__kuik_complete)'
`;

/**
 * `-Native` is found by the last name of what is typed, with and without its extension: `kuik.exe` and `./kuik` as well.
 *
 * @see https://learn.microsoft.com/powershell/module/microsoft.powershell.core/register-argumentcompleter
 */
const powershell = `# kuik completion powershell
Register-ArgumentCompleter -Native -CommandName 'kuik', 'kubectl-kuik' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $ErrorActionPreference = 'SilentlyContinue'
    # the words before the cursor, without their quotes; one of which nothing is typed yet is no element
    $words = @()
    $isBegun = $false
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) { break }
        $isBegun = $extent.EndOffset -ge $cursorPosition
        if ($extent.EndOffset -gt $cursorPosition) {
            $words += $extent.Text.Substring(0, $cursorPosition - $extent.StartOffset) -replace '^[''"]', ''
        } elseif ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $extent.Text
        }
    }
    if (-not $isBegun) { $words += '' }
    # an empty argument is lost on the way in versions before 7.3
    $words = @($words | ForEach-Object { if ($_ -eq '') { '""' } else { $_ } })
    $program = $commandAst.GetCommandName()
    $lastExitCode = $global:LASTEXITCODE
    $out = @(& $program __complete @words 2>$null)
    $global:LASTEXITCODE = $lastExitCode
    if ($out.Count -eq 0) { return }
    $directive = [int]$out[-1].TrimStart(':')
    $candidates = @($out | Select-Object -SkipLast 1)
    # who answers nothing has files offered; an empty text is an answer, and is not shown
    if ($candidates.Count -eq 0 -and ($directive -band 4) -ne 0) { return '' }
    foreach ($candidate in $candidates) {
        $value, $description = $candidate -split "\`t", 2
        if (-not $description) { $description = $value }
        $text = $value
        if ($value -notmatch '^[A-Za-z0-9_./-][A-Za-z0-9_./:=@+~%-]*$') { $text = "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $description)
    }
}
`;

export const scripts = { bash, zsh, fish, powershell } as const;
export type Shell = keyof typeof scripts;
