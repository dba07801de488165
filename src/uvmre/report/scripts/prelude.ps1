#!/usr/bin/env pwsh
# An MRE of a bug of uv, as `uvmre report --format powershell` writes it; `uvmre run FILE` makes the MRE again.
#
#   TITLE
#
# It writes the files into a new folder (the argument, or a temporary one) and runs the steps there with the uv in PATH.
# It does not judge: compare what it prints with the symptom. Its exit code is 125, which is "cannot tell".
# Steps in the language of sh need `sh`, which comes with Git for Windows. Only `uvmre run` has the indexes, synthetic
# packages, repositories, services and faults of mre.toml, its controls, its home, its PATH and its cutoff date.
param([string]$Folder = (Join-Path ([IO.Path]::GetTempPath()) ('mre-' + [Guid]::NewGuid().ToString('N'))))
$ErrorActionPreference = 'Stop'
trap { [Console]::Error.WriteLine("error: $_"); exit 125 }
if ((Test-Path -LiteralPath $Folder) -and (Get-ChildItem -Force -LiteralPath $Folder)) { throw "$Folder is not empty" }
$folder = [IO.Directory]::CreateDirectory([IO.Path]::Combine((Get-Location).ProviderPath, $Folder)).FullName
Write-Host "writing $folder"

function ConvertTo-Content([string]$Kind, [string]$Text) {
    $lines = $Text -replace "`r`n", "`n"
    if ($Kind -eq 'base64' -and $lines -eq '=') { return ,[byte[]]::new(0) }
    if ($Kind -eq 'base64') { return ,[Convert]::FromBase64String($lines) }
    if ($Kind -eq 'text') { $lines += "`n" }
    return ,[Text.Encoding]::ASCII.GetBytes($lines)
}

function Write-MreFile([string]$Mode, [string]$Kind, [string]$Path, [string]$Text) {
    $target = [IO.Path]::Combine($folder, [Uri]::UnescapeDataString($Path))
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($target))
    [IO.File]::WriteAllBytes($target, (ConvertTo-Content $Kind $Text))
    if ($Mode -eq '755' -and (Get-Command chmod -ErrorAction SilentlyContinue)) { & chmod 755 $target }
}

function Set-MreVariable([string]$Name, [string]$Kind, [string]$Text) {
    [Environment]::SetEnvironmentVariable($Name, [Text.Encoding]::UTF8.GetString((ConvertTo-Content $Kind $Text)))
}

function Invoke-MreStep([string]$Shell, [string]$Kind, [string]$Text) {
    $run = [Text.Encoding]::UTF8.GetString((ConvertTo-Content $Kind $Text))
    Write-Host "`n> $run"
    $ErrorActionPreference = 'Continue'
    if ($Shell -eq 'plain') {
        $words = $run.Split([char[]]' ', [StringSplitOptions]::RemoveEmptyEntries)
        $rest = @($words | Select-Object -Skip 1)
        & $words[0] @rest
    } elseif (Get-Command sh -ErrorAction SilentlyContinue) {
        $script = [IO.Path]::GetTempFileName()
        [IO.File]::WriteAllBytes($script, (ConvertTo-Content $Kind $Text))
        & sh $script
        Remove-Item -LiteralPath $script
    } else {
        Write-Host 'not run: it needs sh'
        return
    }
    Write-Host "exit code: $LASTEXITCODE"
}
