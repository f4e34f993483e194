import Model

/// An image's section → the model, with all of its problems.
struct INILowering {
    private enum Format: String, CaseIterable {
        case qcow2
        case raw
    }

    /// What becomes of what the rules of sound images find.
    private enum VerifyMode: String, CaseIterable {
        /// It is told.
        case report
        /// It ends the build, as everywhere else.
        case strict
    }

    let section: INISection
    let surroundings: INISurroundings
    let problems: INIProblems

    /// Nil only if problems were told.
    func image() -> (definition: ImageDefinition, cacheFolder: String?)? {
        checkName()
        let format = section.choice("format", Format.self) ?? .raw
        let install = netinstall(format)
        let size = imageSize()
        let firmware = section.choice("firmware", DiskLayout.Firmware.self) ?? .bios
        let cacheFolder = section.line("cache_dir").map { absolute(expanded($0.text)) }
        let uploads = INIUploads(section: section, problems: problems).destinations(of: fileName(format))
        let bootCheck = BootCheck(enabled: section.flag("boot-check"))
        let verify = section.choice("verify", VerifyMode.self) ?? .report
        guard let install else { return nil }
        let definition = ImageDefinition(
            name: section.name, version: surroundings.date,
            // What the installer installs is not known before. "linux" is what os-release(5) has for such.
            os: OperatingSystem(distribution: "linux", release: ""), base: .netinstall(install),
            disk: DiskLayout(size: .fixed(size), firmware: firmware),
            outputs: [format == .raw ? Output(.raw) : Output(.qcow2, compression: .uncompressed)],
            bootCheck: bootCheck, verify: VerifySettings(isAdvisory: verify == .report), uploads: uploads)
        return (definition, cacheFolder)
    }

    /// The image's file: `IMAGE-DATE.FORMAT`.
    private func fileName(_ format: Format) -> String { "\(section.name)-\(surroundings.date).\(format.rawValue)" }

    private func netinstall(_ format: Format) -> Netinstall? {
        let medium = INIMedium(section: section, problems: problems).medium()
        let answers = INIAnswers(section: section, surroundings: surroundings, problems: problems, absolute: absolute)
            .files()
        let machine = INIMachine(section: section, problems: problems)
        let memory = machine.memory()
        let processors = machine.processors()
        let mac = machine.mac()
        let vnc = machine.vnc()
        let logFile =
            section.flag("log-file")
            ? section.line("log-filename")?.text ?? "\(section.name)-\(surroundings.date).log" : nil
        let append = section.words("append").joined(separator: " ")
        let (hypervisor, network) = (section.choice("hypervisor", Netinstall.Hypervisor.self), network())
        let partitions = section.choice("partitions", Netinstall.PartitionRule.self)
        let showsLogs = section.flag("installer-logs")
        let keepsRaw = format == .qcow2 && section.flag("keep-raw")
        let command = section.line("post-build-command")?.text
        guard let medium, let memory else { return nil }
        return Netinstall(
            medium: medium, answers: answers, append: append, memory: memory, processors: processors, mac: mac,
            vnc: vnc, hypervisor: hypervisor ?? .qemu, network: network, partitions: partitions ?? .linux,
            showsInstallerLogs: showsLogs, logFile: logFile, keepsRaw: keepsRaw, postBuildCommand: command)
    }

    private func network() -> Netinstall.Network { section.choice("network", Netinstall.Network.self) ?? .proxy }

    /// Files are called after the image.
    private func checkName() {
        let bytes = Array(section.name.utf8)
        let isWord = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isWord, (1...128).contains(bytes.count), !".-_".utf8.contains(bytes[0]), !section.name.contains("..")
        else {
            problems.error(
                section.place,
                "the image name '\(INIProblems.quoted(section.name))' makes no file name; use at most 128 letters, "
                    + "digits and '.', '_', '-', a letter or a digit first")
            return
        }
    }

    private func imageSize() -> ByteCount {
        guard let (size, value) = section.size("image-size") else { return .gibi(2) }
        let sector = ByteCount(512)
        guard size >= .mebi(1), size <= .gibi(64 << 10) else {
            problems.error(value.place, "the disk size '\(INIProblems.quoted(value.text))' is not between 1M and 64T")
            return .gibi(2)
        }
        let whole = size.rounded(upTo: sector)
        if whole != size {
            problems.warn(
                value.place,
                "the disk size is rounded up from \(size.bytes) to \(whole.bytes) bytes, whole sectors of 512")
        }
        return whole
    }

    /// `~` and `~/…` stand for the home folder.
    private func expanded(_ path: String) -> String {
        guard let home = surroundings.home, path == "~" || path.hasPrefix("~/") else { return path }
        return home + path.dropFirst()
    }

    private func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return surroundings.folder == "/" ? "/" + path : surroundings.folder + "/" + path
    }
}
