//! Which run of the machine this is.

/// Changes with every start of the machine. `None` where the system does not tell.
pub(crate) fn this_boot() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let boot = told.trim();
    (!boot.is_empty()).then(|| boot.to_owned())
}
