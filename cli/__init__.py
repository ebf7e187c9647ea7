"""The command line: reads options, calls one public function of autoopt, prints."""
