import Model

/// What the installing machine starts from.
struct INIMedium {
    let section: INISection
    let problems: INIProblems

    /// Nil if a problem was told.
    func medium() -> Netinstall.Medium? {
        if !section.isEmpty("installer_image") {
            return source("installer_image", "installer-image-sha256").map { .image($0) }
        }
        // In the order in which the older program misses them.
        let initrd = source("initrd", "initrd-sha256")
        let linux = source("linux", "linux-sha256")
        guard let initrd, let linux else { return nil }
        return .kernel(linux, initrd: initrd)
    }

    private func source(_ key: String, _ digestKey: String) -> Source? {
        let value = section.line(key)
        let digest = digest(digestKey)
        guard let value else {
            // One that could not be read was told.
            if section.isEmpty(key) {
                problems.error(
                    section.place,
                    "No option '\(key)' or 'installer_image' defined in section '\(INIProblems.quoted(section.name))' "
                        + "in image-factory.conf.")
            }
            return nil
        }
        guard let source = Source(parsing: value.text, digest: digest) else {
            problems.error(
                value.place,
                "No download handler for file '\(INIProblems.quoted(value.text))' found. Give an absolute path or a "
                    + "file, http, https or rsync URI.")
            return nil
        }
        return source
    }

    private func digest(_ key: String) -> Digest? {
        guard let value = section.line(key) else { return nil }
        guard let digest = Digest(value.text) else {
            problems.error(
                value.place, "'\(INIProblems.quoted(value.text))' is no SHA-256 digest: 64 hexadecimal digits")
            return nil
        }
        return digest
    }
}
