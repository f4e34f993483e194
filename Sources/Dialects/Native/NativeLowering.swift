import Model

/// Checked values → `ImageDefinition`, with what a table of keys cannot check: names that must be known, and values
/// that must fit each other.
struct NativeLowering {
    let problems: YAMLProblems
    let distributions: DistributionNames
    let files: LocalFiles
    let rules: RuleNames
    /// The definition's own folder, for relative paths.
    let folder: String

    func definition(_ root: NativeMap) -> ImageDefinition {
        var image = ImageDefinition(
            name: name(root, "name"), version: name(root, "version"), os: operatingSystem(root))
        image.disk = disk(root.map("disk"))
        image.base = base(root, image)
        image.hostname = root.text("hostname") ?? image.hostname
        image.locale = root.text("locale") ?? image.locale
        image.timezone = timezone(root) ?? image.timezone
        image.packages = packages(root)
        if root["apt_sources"] != nil { image.aptSources = root.list("apt_sources").compactMap(aptSource) }
        unique(root.list("apt_sources"), "name", "the package source")
        image.files = root.list("files").compactMap(\.map).map(fileChange)
        unique(root.list("files"), "path", "the file")
        image.commands = root.list("commands").compactMap(command)
        image.users = root.list("users").compactMap(\.map).map(user)
        unique(root.list("users"), "name", "the user")
        if let cloudInit = root.map("cloud_init"), root.map("base")?["image"] == nil {
            image.cloudInit.dataSources = cloudInit["datasources"] == nil ? nil : cloudInit.texts("datasources")
        }
        image.kernelArguments = root.texts("kernel_arguments")
        if root["outputs"] != nil { image.outputs = outputs(root) }
        image.bootCheck = bootCheck(root)
        image.signing = root.map("sign").map(signing)
        if let map = root.map("verify") { image.verify = verify(map) }
        image.secrets = root.list("secrets").compactMap(\.map).compactMap(secret)
        unique(root.list("secrets"), "name", "the secret")
        switch image.base {
        case .bootstrap: checkBuilt(root)
        case .netinstall: checkInstalled(root, image)
        case .image: checkImage(root)
        }
        image.uploads = root.list("publish").compactMap(\.map).map { destination($0, image) }
        return image
    }

    private func name(_ root: NativeMap, _ key: String) -> String {
        let name = root.text(key) ?? ""
        if name.contains("..") {
            problems.error(root.place(key), "'\(YAMLLoad.quoted(name))' must not have '..' in it")
        }
        return name
    }

    private func operatingSystem(_ root: NativeMap) -> OperatingSystem {
        guard let os = root.map("os") else { return OperatingSystem(distribution: "", release: "") }
        let wanted = os.text("distribution") ?? ""
        let release = os.text("release") ?? ""
        if let architecture = os.text("architecture"), Architecture(rawValue: architecture) == nil {
            problems.error(
                os.place("architecture"),
                "the architecture '\(architecture)' cannot be built yet; the only one is amd64")
        }
        // What an installer installs, or an image has, is its own affair.
        let isInstalled = root.map("base").map { $0["netinstall"] != nil || $0["image"] != nil } ?? false
        guard let known = distributions.known.first(where: { $0.name == wanted }) else {
            if isInstalled { return OperatingSystem(distribution: wanted, release: release) }
            if !wanted.isEmpty {
                unknown("distribution", wanted, distributions.known.map(\.name), os.place("distribution"))
            }
            return OperatingSystem(distribution: wanted, release: release)
        }
        let found = known.releases.first { $0.codename == release || $0.aliases.contains(release) }
        if found == nil, !release.isEmpty, !isInstalled {
            unknown(
                "release of \(wanted)", release, known.releases.flatMap { [$0.codename] + $0.aliases },
                os.place("release"))
        }
        return OperatingSystem(distribution: wanted, release: found?.codename ?? release)
    }

    private func unknown(_ what: String, _ name: String, _ names: [String], _ place: Place) {
        let near = NearestName.to(name, among: names).map { "; did you mean '\($0)'?" }
        problems.error(place, "unknown \(what) '\(name)'" + (near ?? "; known: " + names.joined(separator: ", ")))
    }

    private func base(_ root: NativeMap, _ definition: ImageDefinition) -> Base {
        let base = root.map("base")
        let kinds = ["bootstrap", "netinstall", "image"].filter { base?[$0] != nil }
        if let base, kinds.count > 1 {
            problems.error(base.place(kinds[1]), "a base is one of 'bootstrap', 'netinstall' and 'image'")
        }
        if let map = base?.map("netinstall") { return .netinstall(netinstall(map)) }
        if let value = base?["image"] { return .image(image(value, root, definition.disk)) }
        return .bootstrap(bootstrap(base?.map("bootstrap"), definition.os))
    }

    private func bootstrap(_ map: NativeMap?, _ os: OperatingSystem) -> Bootstrap {
        let usual = distributions.known.first { $0.name == os.distribution }?.components ?? ["main"]
        guard let map else { return Bootstrap(components: usual) }
        let own = map.texts("components")
        return Bootstrap(
            mirror: map.text("mirror").map(Self.withoutSlash),
            securityMirror: map.text("security_mirror").map(Self.withoutSlash),
            components: own.isEmpty ? usual : own, keyring: map.text("keyring"))
    }

    private static func withoutSlash(_ uri: String) -> String { uri.hasSuffix("/") ? String(uri.dropLast()) : uri }

    private func disk(_ map: NativeMap?) -> DiskLayout {
        var layout = DiskLayout()
        guard let map else { return layout }
        if let margin = map.map("size")?.text("automatic") {
            layout.size = .automatic(margin: size(margin, map.place("size")))
        } else if let text = map.text("size"), text != "automatic" {
            let size = size(text, map.place("size"))
            if size < .mebi(64) { problems.error(map.place("size"), "a disk has at least 64M") }
            if size > .gibi(64 << 10) { problems.error(map.place("size"), "a disk has at most 64T") }
            layout.size = .fixed(size)
        }
        layout.table = map.text("table").flatMap(DiskLayout.Table.init) ?? layout.table
        layout.firmware = map.text("firmware").flatMap(DiskLayout.Firmware.init) ?? layout.firmware
        return layout
    }

    private func size(_ text: String, _ place: Place) -> ByteCount {
        guard let size = ByteCount(parsing: text), size <= .gibi(64 << 10) else {
            problems.error(place, "the size '\(text)' is too large")
            return .mebi(64)
        }
        return size
    }

    private func timezone(_ root: NativeMap) -> String? {
        root.text("timezone").map { $0 == "UTC" ? "Etc/UTC" : $0 }
    }

    private func packages(_ root: NativeMap) -> [String] {
        var seen: Set<String> = []
        for value in root.list("packages") {
            guard let name = value.text, !seen.insert(name).inserted else { continue }
            problems.warn(value.place, "the package '\(name)' is named twice")
        }
        var kept: Set<String> = []
        return root.texts("packages").filter { kept.insert($0).inserted }
    }

    private func aptSource(_ value: NativeValue) -> AptSource? {
        guard let map = value.map else { return nil }
        return AptSource(
            name: map.text("name") ?? "", uris: map.texts("uris"), suites: map.texts("suites"),
            components: map.texts("components"), signedBy: map.text("signed_by") ?? "")
    }

    func unique(_ values: [NativeValue], _ key: String, _ what: String) {
        var seen: Set<String> = []
        for map in values.compactMap(\.map) {
            guard let name = map.text(key), !seen.insert(name).inserted else { continue }
            problems.error(map.place(key), "\(what) '\(YAMLLoad.quoted(name))' is there twice")
        }
    }
}
