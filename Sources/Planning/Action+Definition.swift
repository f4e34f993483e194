package import Model

extension ConfigureAction {
    init(_ definition: ImageDefinition, sources: [AptSource], epoch: UInt64) {
        self.init(
            hostname: definition.hostname, locale: definition.locale, timezone: definition.timezone,
            sources: sources, files: definition.files.map(File.init), commands: definition.commands,
            users: definition.users, dataSources: definition.cloudInit.dataSources,
            kernelArguments: definition.kernelArguments, secrets: definition.secrets.map(\.name).sorted(),
            epoch: epoch)
    }
}

extension VerifyPolicy {
    /// What the definition declares, and with it what the rules let pass.
    init(_ definition: ImageDefinition, sources: [AptSource]) {
        let settings = definition.effectiveVerify
        guard case .bootstrap = definition.base else {
            // What an installer makes, and what was in an image, is declared nowhere.
            self.init(waivers: settings.waivers, isStrict: settings.isStrict, isAdvisory: settings.isAdvisory)
            return
        }
        self.init(
            hostname: definition.hostname, users: definition.users, sources: sources.flatMap(\.uris),
            files: definition.files.map(\.path), secrets: definition.secrets.map(\.name).sorted(),
            waivers: settings.waivers, isStrict: settings.isStrict, isAdvisory: settings.isAdvisory)
    }
}

extension ConfigureAction.File {
    init(_ change: FileChange) {
        var inline: String?
        var local: Digest?
        switch change.content {
        case .inline(let text): inline = text
        case .local(_, let digest, _): local = digest
        }
        self.init(
            path: change.path, inline: inline, local: local, owner: change.owner, group: change.group,
            mode: change.mode)
    }
}

extension InstallAction {
    /// Throws where something is not known that has to be.
    init(_ install: Netinstall, _ definition: ImageDefinition, facts: PlanningFacts) throws {
        guard case .fixed(let size) = definition.disk.size else {
            throw FactoryError(.definition, "an installation needs the size of its disk", remedy: "give disk: size:")
        }
        let medium: Medium =
            switch install.medium {
            case .kernel(let kernel, let initrd):
                .kernel(try facts.digest(of: kernel), initrd: try facts.digest(of: initrd))
            case .image(let image): .image(try facts.digest(of: image))
            }
        self.init(
            medium: medium,
            answers: install.answers.map { Answers(kind: $0.kind, name: $0.name, digest: $0.digest) },
            append: install.append, disk: size, firmware: definition.disk.firmware, memory: install.memory,
            processors: install.processors, mac: install.mac, hypervisor: install.hypervisor,
            network: install.network, day: facts.day)
    }
}

extension PlanningFacts {
    fileprivate func digest(of source: Source) throws -> Digest {
        guard let digest = sources[source] else {
            throw FactoryError(.internal, "\(source.location) was not fetched")
        }
        return digest
    }
}

extension ImageDefinition {
    /// How its disk is judged: where the definition does not ask for more, what is found of an image that others made, and
    /// that stays what it is, is only told, for it is not the fault of this build.
    package var effectiveVerify: VerifySettings {
        var settings = verify
        if case .image(let base) = base, base.reset == nil, !verify.isStrict { settings.isAdvisory = true }
        return settings
    }
}
