import Model

extension ImageDefinition {
    /// The definition without where it was: paths of local files and keys, mirrors, where an installer comes from and
    /// images go to, and where secrets come from.
    func identity(_ facts: PlanningFacts) -> ImageDefinition {
        var copy = self
        copy.signing = nil
        copy.uploads = []
        copy.files = files.map { file in
            guard case .local(_, let digest, let size) = file.content else { return file }
            var moved = file
            moved.content = .local(path: "", digest: digest, size: size)
            return moved
        }
        switch base {
        case .bootstrap(var base):
            base.mirror = nil
            base.securityMirror = nil
            copy.base = .bootstrap(base)
        case .netinstall(let install): copy.base = .netinstall(install.identity(facts))
        case .image(var base):
            // What it was fetched as is what counts.
            base.input = base.input.map {
                ImageBase.Input(
                    Source(.file, "", digest: facts.sources[$0.source] ?? $0.source.digest), format: $0.format)
            }
            base.setup = base.setup.map { setup in
                var moved = setup
                moved.files = setup.files.map { SeedFile($0.kind, path: "", digest: $0.digest, size: $0.size) }
                return moved
            }
            copy.base = .image(base)
        }
        copy.secrets = secrets.map { SecretDeclaration(name: $0.name, source: .inline(SecretText(""))) }
        return copy
    }
}

extension Netinstall {
    /// Without what has no part in what the image is.
    fileprivate func identity(_ facts: PlanningFacts) -> Netinstall {
        var copy = self
        func anywhere(_ source: Source) -> Source { Source(.file, "", digest: facts.sources[source] ?? source.digest) }
        switch medium {
        case .kernel(let kernel, let initrd): copy.medium = .kernel(anywhere(kernel), initrd: anywhere(initrd))
        case .image(let image): copy.medium = .image(anywhere(image))
        }
        copy.checksums = [:]
        copy.answers = answers.map { AnswerFile($0.kind, path: $0.name, digest: $0.digest, size: $0.size) }
        copy.vnc = nil
        copy.limitSeconds = nil
        copy.showsInstallerLogs = false
        copy.logFile = nil
        copy.postBuildCommand = nil
        return copy
    }
}
