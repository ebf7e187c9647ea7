"""What a run leaves behind so that it is never lost: its best point, its iterates, its result; and how it goes on."""
