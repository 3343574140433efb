"""What CI systems read: workflow commands and Markdown of GitHub, and SARIF of code scanners."""
