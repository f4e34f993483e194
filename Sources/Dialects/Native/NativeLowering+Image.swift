import Model

extension NativeLowering {
    /// - Parameters:
    ///   - value: of `base.image`.
    ///   - disk: what the definition says of the disk.
    func image(_ value: NativeValue, _ root: NativeMap, _ disk: DiskLayout) -> ImageBase {
        let map = value.map
        let (source, checksum) = imageSource(value) ?? (Source(.file, "/"), nil)
        var size: ByteCount?
        if case .fixed(let fixed) = disk.size { size = fixed }
        if let size, size.bytes % 512 != 0 {
            problems.error(root.map("disk")?.place("size") ?? root.place, "a disk has whole sectors of 512 bytes")
        }
        return ImageBase(
            input: ImageBase.Input(
                source, checksum: checksum, format: map?.text("format").flatMap(ImageFormat.init(rawValue:))),
            format: .raw, size: size, mayShrink: map?.text("allow_shrink") == "true",
            setup: root.map("cloud_init").map { setup($0, disk) }, reset: root["reset"].flatMap(reset))
    }

    private func imageSource(_ value: NativeValue) -> (Source, Checksum?)? {
        guard let map = value.map else { return source(value) }
        switch (map["url"], map["path"]) {
        case (_?, nil): return source(value)
        case (nil, let path?): return path.text.map { checked(Source(.file, beside($0)), map) }
        case (nil, nil): problems.error(map.place, "a base image needs 'url' or 'path'")
        case (_?, _?): problems.error(map.place("path"), "a base image has either 'url' or 'path'")
        }
        return nil
    }

    // MARK: cloud-init

    private func setup(_ map: NativeMap, _ disk: DiskLayout) -> CloudSetup {
        if map["datasources"] != nil {
            problems.error(
                map.place("datasources"), "'datasources' is for images made of packages; tell cloud-init by 'user_data'"
            )
        }
        let memory = map.text("memory").flatMap(ByteCount.init(parsing:)) ?? .gibi(2)
        let whole = ByteCount.mebi(memory.bytes >> 20)
        if whole < .mebi(64) || whole > .gibi(1 << 20) {
            problems.error(map.place("memory"), "a machine has between 64M and 1024T of memory")
        }
        let processors = map.text("cpus").flatMap { UInt32($0) } ?? 1
        if !(1...512).contains(processors) {
            problems.error(map.place("cpus"), "'\(processors)' is no number of processors; give 1 to 512")
        }
        return CloudSetup(
            files: seedFiles(map), network: map.text("network").flatMap(CloudSetup.Network.init) ?? .proxy,
            degradation: map.text("degraded").flatMap(CloudSetup.Degradation.init) ?? .warn,
            firmware: disk.firmware == .uefi ? .uefi : .bios, memory: whole, processors: processors,
            processor: map.text("cpu_model"),
            hypervisor: map.text("hypervisor").flatMap(Netinstall.Hypervisor.init) ?? .qemu)
    }

    private func seedFiles(_ map: NativeMap) -> [SeedFile] {
        var found: [SeedFile] = []
        for kind in SeedFile.Kind.allCases {
            guard let text = map.text(kind.key) else { continue }
            let path = beside(text)
            do {
                let (digest, size) = try files.read(path)
                found.append(SeedFile(kind, path: path, digest: digest, size: size))
            } catch {
                problems.error(
                    map.place(kind.key),
                    "cannot read the file for cloud-init '\(YAMLLoad.oneLine(path))': \(YAMLLoad.oneLine("\(error)"))")
            }
        }
        if !SeedFile.Kind.allCases.contains(where: { map[$0.key] != nil }) {
            problems.error(
                map.place,
                "cloud-init needs one of " + SeedFile.Kind.allCases.map { "'\($0.key)'" }.joined(separator: ", "))
        }
        return found
    }

    // MARK: reset

    private func reset(_ value: NativeValue) -> ResetAction? {
        let operations = value.map?["operations"] ?? value
        let lists = operations.text == nil ? operations.elements : [operations]
        var isSound = true
        for list in lists {
            do {
                _ = try ResetSelection(parsing: [list.text ?? ""])
            } catch {
                problem(list.place, error)
                isSound = false
            }
        }
        guard isSound, let selection = try? ResetSelection(parsing: lists.compactMap(\.text)) else { return nil }
        do {
            try selection.requireOperations()
        } catch {
            problem(operations.place, error)
        }
        return ResetAction(selection, makesHostKeyUnit: value.map?.text("host_key_unit") == "true")
    }

    private func problem(_ place: Place, _ error: any Error) {
        let known = error as? FactoryError
        problems.error(place, [known?.message, known?.remedy].compactMap { $0 }.joined(separator: "; "))
    }

    // MARK: what does not fit

    /// What only images made of packages have: an image that is there is changed by cloud-init.
    func checkImage(_ root: NativeMap) {
        let foreign = [
            "hostname", "locale", "timezone", "packages", "apt_sources", "files", "commands", "users",
            "kernel_arguments", "secrets",
        ]
        for key in foreign where root[key] != nil {
            problems.error(
                root.place(key), "'\(key)' is for images made of packages; tell cloud-init by cloud_init: user_data")
        }
        if let disk = root.map("disk"), disk["table"] != nil {
            problems.error(disk.place("table"), "a base image has its partition table")
        }
        if let disk = root.map("disk"), disk.map("size") != nil {
            problems.error(
                disk.place("size"), "give the size of the whole disk, or leave it out for the size of the image")
        }
        refuseTrees(root, "a base image gives a disk: raw, qcow2, vmdk, vhd, vhdx or vdi")
    }

    /// What only a base image has.
    func checkBuilt(_ root: NativeMap) {
        if let map = root.map("cloud_init") {
            for key in NativeKeys.cloudInit.map(\.name) where key != "datasources" && map[key] != nil {
                problems.error(
                    map.place(key), "'\(key)' is for a base image, which cloud-init sets up: base: {image: …}")
            }
        }
        checkNoReset(root)
    }

    func checkNoReset(_ root: NativeMap) {
        guard root["reset"] != nil else { return }
        problems.error(
            root.place("reset"), "'reset' is for a base image; nothing of an instance is in others: base: {image: …}")
    }
}

extension SeedFile.Kind {
    /// The key that names such a file.
    fileprivate var key: String { rawValue.replacing("-", with: "_") }
}
