import FactoryCore
import Model
import SystemPackage

/// configure-vm-image 0.1.3, whose result is JSON.
struct ConfigureVMImageCurrent {
    private let arguments: ArgparseArguments
    private let place: ConfigurationPlace
    private let notes = NoteKeeper()

    init(_ arguments: ArgparseArguments, _ place: ConfigurationPlace) {
        self.arguments = arguments
        self.place = place
    }

    func answer() async throws -> ForeignAnswer {
        do {
            let request = try request()
            let result = try await place.configure(request, place.notes(notes))
            ConfigurationNotes.lines(result).forEach(notes.add)
            return ConfigureVMResult(
                message: "Succesfully configured image: \(arguments.values["--output"] ?? image)", code: .success,
                outputs: outputs,
                warnings: place.warnings(notes) + ConfigurationNotes.warnings(result, beside: notes.warnings)
            ).answer
        } catch let failure as ConfigureVMFailure {
            return self.answer(failure)
        } catch let failure as ImageConfigurationFailure {
            return self.answer(ConfigureVMFailure(failure, image: image, seed: value("--cloud-init-iso-output-path")))
        } catch let wrong as WrongValue {
            return self.answer(
                ConfigureVMFailure(
                    .wrongType,
                    "Invalid attribute type: <class 'str'> for value: \(wrong.value) - must be \(wrong.wanted)",
                    details: ["it is the value of \(wrong.name)"]))
        }
    }

    private func answer(_ failure: ConfigureVMFailure) -> ForeignAnswer {
        failure.details.forEach(notes.add)
        return ConfigureVMResult(
            message: failure.text, code: failure.code, outputs: outputs, warnings: place.warnings(notes)
        ).answer
    }

    private var outputs: [String]? { arguments.has("--verbose") ? notes.all : nil }

    private var image: String { arguments.positionals[0] }

    private func value(_ key: String) -> String { arguments.values[key] ?? Self.standards[key] ?? "" }

    /// The paths that count without an option.
    private static let standards = [
        "--config-user-data-path": "cloud-init/user-data", "--config-meta-data-path": "cloud-init/meta-data",
        "--config-vendor-data-path": "cloud-init/vendor-data",
        "--config-network-config-path": "cloud-init/network-config",
        "--cloud-init-iso-output-path": "cloud-init/cidata.iso", "--configure-vm-log-path": "tmp/configure-vm.log",
        "--configure-vm-template-path": "res/configure-vm-template.xml.j2",
        "--reset-operations": "defaults,-ssh-userdir",
    ]

    // MARK: the request, in the order in which the older program looks at its options

    private func request() throws -> ImageConfigurationRequest {
        tellPaths()
        let options = try ConfigurationOptions(arguments)
        let hypervisor = try hypervisor()
        if hypervisor == .qemu { warnOfLibvirtOptions() }
        let template = try template(hypervisor)
        let values = try templateValues(hypervisor)
        guard place.isThere(place.path(image)) else {
            throw ConfigureVMFailure.missing(image, "could not find the image to configure")
        }
        var request = ImageConfigurationRequest(
            image: place.path(image), output: try options.output.map(madeFolder), format: try format(),
            seed: try seed(isStrict: options.isStrict), memory: values.memory, processors: values.processors,
            processor: arguments.values["--cpu-model"], hypervisor: hypervisor,
            monitorSocket: try arguments.values["--monitor-socket"].map(madeFolder), reset: try reset(options))
        options.apply(to: &request)
        request.libvirt = ImageConfigurationRequest.Libvirt(
            template: template, values: values.complete, domainName: arguments.values["--configure-vm-name"],
            removeOptions: words(value("--configure-vm-remove-options")))
        if !request.seed.isEmpty {
            request.seedOutput = try madeFolder(value("--cloud-init-iso-output-path"))
            notes.add("Generating the cloud-init iso image at: \(place.path(value("--cloud-init-iso-output-path")))")
        }
        request.log = try log()
        return request
    }

    private func warn(_ text: String) { place.notes(notes).warn("warning: " + text) }

    private func warnOfLibvirtOptions() {
        for key in ["--configure-vm-name", "--configure-vm-remove-options"] where arguments.has(key) {
            warn("\(key) is not used: the machine is made by qemu")
        }
    }

    private func tellPaths() {
        notes.add("Using the following paths to configure the given image")
        for (label, key) in [
            ("Cloud-init data configuration path", "--config-user-data-path"),
            ("Cloud-init meta data configuration path", "--config-meta-data-path"),
            ("Cloud-init vendor data configuration path", "--config-vendor-data-path"),
            ("Cloud-init network configuration path", "--config-network-config-path"),
            ("Cloud-init output iso path", "--cloud-init-iso-output-path"),
            ("Configure VM log path", "--configure-vm-log-path"),
            ("Configure VM template path", "--configure-vm-template-path"),
        ] {
            notes.add("\(label): \(place.path(value(key)))")
        }
    }

    /// libvirt is for those who say so: the older program's default would ask everybody for it.
    private func hypervisor() throws -> Netinstall.Hypervisor {
        switch arguments.values["--configure-vm-orchestrator"] {
        case nil, "qemu": return .qemu
        case "libvirt", "libvirt-provider": return .libvirt
        case let other?:
            throw ConfigureVMFailure(
                .notFound,
                "Failed to find the \(other) command on the system. Please ensure that it is installed",
                details: ["hint: the machine is made by qemu or by libvirt"])
        }
    }

    /// Nil: the program's own. One that was asked for must be there, whoever makes the machine.
    private func template(_ hypervisor: Netinstall.Hypervisor) throws -> FilePath? {
        let key = "--configure-vm-template-path"
        let path = place.path(value(key))
        guard place.isThere(path) else {
            guard !arguments.has(key) else {
                throw ConfigureVMFailure.missing(path.string, "could not find the VM template configuration file")
            }
            return nil
        }
        guard hypervisor == .libvirt else {
            if arguments.has(key) { warn("the VM template description is not used: the machine is made by qemu") }
            return nil
        }
        notes.add("Using the VM template description: \(path)")
        return path
    }

    private func templateValues(_ hypervisor: Netinstall.Hypervisor) throws -> TemplateValues {
        do {
            let values = try TemplateValues(value("--configure-vm-template-values"), for: hypervisor)
            if hypervisor == .qemu, !values.foreign.isEmpty {
                warn("not used without libvirt: \(values.foreign.joined(separator: ", "))")
            }
            return values
        } catch let missing as MissingPart {
            throw ConfigureVMFailure(
                .missingAttribute, "Missing attribute: \(missing.part) in \(missing.of)",
                details: ["hint: write KEY=VALUE,KEY=VALUE as one argument, without blanks"])
        }
    }

    private func format() throws -> ImageFormat? {
        guard let text = arguments.values["--image-format"], !text.isEmpty else { return nil }
        guard let format = ImageFormat(named: text) else {
            let known = ImageFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw WrongValue(value: text, wanted: "one of " + known, name: "--image-format")
        }
        return format
    }

    private func seed(isStrict: Bool) throws -> [SeedFile.Kind: FilePath] {
        var files: [SeedFile.Kind: FilePath] = [:]
        for kind in [SeedFile.Kind.userData, .metaData, .vendorData, .networkConfig] {
            let key = "--config-\(kind.rawValue)-path"
            let path = place.path(value(key))
            let fault = "could not find the \(kind.rawValue) configuration file"
            if place.isThere(path) {
                files[kind] = path
            } else if isStrict, arguments.has(key) {
                throw ConfigureVMFailure.missing(path.string, fault)
            } else {
                let line = "Path not found: \(path) - error: \(fault), continuing without it"
                arguments.has(key) ? warn(line) : notes.add(line)
            }
        }
        return files
    }

    private func reset(_ options: ConfigurationOptions) throws -> ResetSelection? {
        guard options.resets else { return nil }
        let list = value("--reset-operations")
        do {
            let selection = try ResetSelection(parsing: list.isEmpty ? [] : [list])
            try selection.requireOperations()
            return selection
        } catch let error as FactoryError {
            throw ConfigureVMFailure(
                .reset, "Failed to reset image: \(image) - error: \(error.message)",
                details: [error.remedy.map { "hint: " + $0 }].compactMap { $0 })
        }
    }

    /// A log that is there is somebody's.
    private func log() throws -> FilePath {
        let wanted = try madeFolder(value("--configure-vm-log-path"))
        guard place.isThere(wanted) else { return wanted }
        notes.add("The configuring log file: \(wanted) already exists, increasing the designated file name")
        var number = 1
        while place.isThere(FilePath("\(wanted).\(number)")) { number += 1 }
        notes.add("Generated new log file path: \(wanted).\(number)")
        return FilePath("\(wanted).\(number)")
    }

    /// The path from the root, after its folder is made.
    private func madeFolder(_ text: String) throws -> FilePath {
        let path = place.path(text)
        let folder = path.removingLastComponent()
        do {
            try WritableFolder.make(folder, "the folder")
            return path
        } catch let error as FactoryError {
            throw ConfigureVMFailure(.create, "Failed to create path: \(folder)", details: [error.message])
        }
    }

    /// As virsh has them: `managed-save` for `managed_save`.
    private func words(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "," }.map { String($0).replacing("_", with: "-") }
    }
}
