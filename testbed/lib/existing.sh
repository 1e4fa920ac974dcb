with_existing_engine() { die "not yet"; }
