#requires -Version 5.1
<#
.SYNOPSIS
    Installs the whichlayer agent @@VERSION@@ for the user who runs this. No administrator, no service, no network.
.DESCRIPTION
    Checks every file against MANIFEST.sha256, makes a Python environment in -Folder from the wheels beside this
    script, writes selftest.json, and, when -Config is given, registers a task that starts the agent at this user's
    logon in this user's session.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File install.ps1 -Config C:\whichlayer\whichlayer.yaml
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File install.ps1 -Uninstall
#>
[CmdletBinding()]
param(
    [string] $Folder = (Join-Path $env:LOCALAPPDATA 'whichlayer'),
    [string] $Config = '',
    [string] $Python = '',
    [switch] $Uninstall
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$Supported = @(@@PYTHONS@@)
$Task = 'whichlayer-agent'
$Here = Split-Path -Parent $MyInvocation.MyCommand.Path
$Shortcut = Join-Path ([Environment]::GetFolderPath('Startup')) "$Task.lnk"

function Write-Step([string] $Text) { Write-Host "whichlayer: $Text" }

function Test-Manifest {
    foreach ($line in Get-Content -LiteralPath (Join-Path $Here 'MANIFEST.sha256')) {
        $expected, $name = $line -split '  ', 2
        $path = Join-Path $Here ($name -replace '/', '\')
        $actual = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash
        if ($actual -ne $expected) { throw "$name is not the file that was bundled: copy the folder again" }
    }
}

function Find-Python {
    # A program that writes to stderr would otherwise end this script.
    $ErrorActionPreference = 'Continue'
    $ask = "import struct, sys; print('%d.%d %d' % (sys.version_info[0], sys.version_info[1], struct.calcsize('P') * 8))"
    $candidates = New-Object System.Collections.ArrayList
    if ($Python) { [void] $candidates.Add(@($Python)) }
    else {
        foreach ($version in $Supported) { [void] $candidates.Add(@('py', "-$version")) }
        [void] $candidates.Add(@('python'))
    }
    foreach ($candidate in $candidates) {
        if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
        $options = @($candidate | Select-Object -Skip 1)
        $answer = & $candidate[0] @options -c $ask 2>$null
        if ($LASTEXITCODE -ne 0 -or -not $answer) { continue }
        $version, $bits = "$answer".Trim() -split ' '
        if (($Supported -contains $version) -and ($bits -eq '64')) { return , $candidate }
    }
    throw "no 64-bit Python $($Supported -join ', ') was found: give one with -Python PATH"
}

function Invoke-Checked([string] $Program, [string[]] $Arguments, [string] $Complaint) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw $Complaint }
}

function Install-Environment {
    $found = Find-Python
    $options = @($found | Select-Object -Skip 1) + @('-m', 'venv', (Join-Path $Folder 'venv'))
    New-Item -ItemType Directory -Force -Path $Folder | Out-Null
    Invoke-Checked $found[0] $options 'the Python environment could not be made'
    $program = Join-Path $Folder 'venv\Scripts\python.exe'
    $pip = @('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-index')
    $locked = @('--find-links', (Join-Path $Here 'wheels'), '--require-hashes', '-r', (Join-Path $Here 'requirements.txt'))
    Invoke-Checked $program ($pip + $locked) 'the wheels could not be installed'
    $own = @('--no-deps', '--force-reinstall', (Join-Path $Here 'wheels\@@WHEEL@@'))
    Invoke-Checked $program ($pip + $own) 'whichlayer could not be installed'
    return $program
}

function Register-Agent([string] $Program) {
    $file = (Resolve-Path -LiteralPath $Config).Path
    Invoke-Checked $Program @('-m', 'whichlayer', 'agent', 'check', '--config', $file) "$file has mistakes, see above"
    $quiet = Join-Path $Folder 'venv\Scripts\pythonw.exe'
    $log = Join-Path $Folder 'agent.log'
    $arguments = "-m whichlayer agent run --config `"$file`" --log `"$log`""
    $me = [Security.Principal.WindowsIdentity]::GetCurrent().Name
    try {
        $action = New-ScheduledTaskAction -Execute $quiet -Argument $arguments -WorkingDirectory $Folder
        $trigger = New-ScheduledTaskTrigger -AtLogOn -User $me
        $principal = New-ScheduledTaskPrincipal -UserId $me -LogonType Interactive -RunLevel Limited
        $settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries `
            -StartWhenAvailable -MultipleInstances IgnoreNew -RestartCount 999 `
            -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit ([TimeSpan]::Zero)
        Register-ScheduledTask -TaskName $Task -Action $action -Trigger $trigger -Principal $principal `
            -Settings $settings -Force | Out-Null
        Start-ScheduledTask -TaskName $Task
        Write-Step "task $Task starts the agent at your logon, and did so now"
    } catch {
        # Some sites do not let users register tasks: the Startup folder does the same, without restarts.
        Write-Step "no task could be registered ($($_.Exception.Message)); using the Startup folder"
        $link = (New-Object -ComObject WScript.Shell).CreateShortcut($Shortcut)
        $link.TargetPath = $quiet
        $link.Arguments = $arguments
        $link.WorkingDirectory = $Folder
        $link.Save()
        Start-Process -FilePath $quiet -ArgumentList $arguments -WorkingDirectory $Folder
    }
    Write-Step "its log is $log"
}

function Remove-Agent {
    if (Get-ScheduledTask -TaskName $Task -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -TaskName $Task
        Unregister-ScheduledTask -TaskName $Task -Confirm:$false
    }
    if (Test-Path -LiteralPath $Shortcut) { Remove-Item -LiteralPath $Shortcut }
    $environment = Join-Path $Folder 'venv'
    if (Test-Path -LiteralPath $environment) { Remove-Item -LiteralPath $environment -Recurse -Force }
    Write-Step "removed; the state folder that whichlayer.yaml names still holds what was not sent: delete it when done"
}

if ($Uninstall) { Remove-Agent; exit 0 }
Write-Step 'checking the files'
Test-Manifest
Write-Step "installing into $Folder"
$program = Install-Environment
$report = Join-Path $Folder 'selftest.json'
Invoke-Checked $program @('-m', 'whichlayer', 'agent', 'selftest', '--output', $report) 'the self-test could not run'
Write-Step "please send back $report (it holds no names and no addresses)"
if ($Config) { Register-Agent $program }
else { Write-Step 'installed; run this again with -Config PATH\whichlayer.yaml to start the agent at logon' }
