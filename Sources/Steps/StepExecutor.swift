package import Engine
package import Model

/// Dispatches each action to the file that performs it.
package struct StepExecutor: StepRunning {
    private let environment: StepEnvironment

    package init(_ environment: StepEnvironment) { self.environment = environment }

    package func run(_ step: Step, in context: StepContext) async throws {
        do {
            try await perform(step, in: context)
        } catch var error as FactoryError where error.message.contains("No space left on device") {
            // Whichever tool said it.
            error.remedy = "free some space for the store and in memory, or run 'image-factory prune'"
            throw error
        }
    }

    private func perform(_ step: Step, in context: StepContext) async throws {
        switch step.action {
        case .bootstrap(let action):
            try await BootstrapStep(action: action, environment: environment).run(in: context)
        case .install(let action):
            try await InstallStep(action: action, environment: environment).run(in: context)
        case .importImage(let action):
            try await ImportStep(action: action, environment: environment).run(in: context)
        case .seal(let action):
            try await SealStep(action: action, environment: environment).run(in: context)
        case .cloudSetup(let action):
            try await CloudSetupStep(action: action, environment: environment).run(in: context)
        case .reset(let action):
            try await ResetStep(action: action, environment: environment).run(in: context)
        case .configure(let action):
            try await ConfigureStep(action: action, environment: environment).run(in: context)
        case .clean(let action):
            try await CleanStep(action: action, environment: environment).run(in: context)
        case .assemble(let action):
            try await AssembleStep(action: action, seed: step.id, environment: environment).run(in: context)
        case .convert(let output):
            try await ConvertStep(output: output, environment: environment).run(in: context)
        case .export(let format):
            try await ExportStep(format: format, environment: environment).run(in: context)
        case .verify(let policy):
            try await VerifyStep(policy: policy, environment: environment).run(in: context)
        case .pack:
            try await PackStep(environment: environment).run(in: context)
        case .digest:
            try await DigestStep().run(in: context)
        case .bootCheck(let action):
            try await BootCheckStep(action: action, environment: environment).run(in: context)
        }
    }

    package func title(of step: Step) -> String {
        switch step.action {
        case .bootstrap(let action):
            "installing \(action.distribution) \(action.suite) with \(action.packages.count) chosen packages"
        case .install(let action):
            "installing onto a disk of \(action.disk) in a virtual machine"
        case .importImage(let action):
            "\(action.input == nil ? "making an empty" : "bringing in a") disk as \(action.format.rawValue)"
        case .seal:
            "removing the installer's traces and free space"
        case .cloudSetup(let action):
            "setting the image up by cloud-init with \(action.files.count) files"
        case .reset(let action):
            "resetting the image for cloning (\(action.operations.operations.count) operations)"
        case .configure(let action):
            "configuring the tree (\(action.files.count) files, \(action.users.count) users, "
                + "\(action.commands.count) commands)"
        case .clean:
            "removing the traces of the build"
        case .assemble(let action):
            "assembling a \(action.layout.table.rawValue) disk for "
                + (action.layout.firmware == .both ? "bios and uefi" : action.layout.firmware.rawValue)
        case .convert(let output):
            "converting to \(output.format.rawValue) (\(output.compression.rawValue))"
        case .export(let format):
            "writing the disk as \(format.rawValue)"
        case .verify(let policy):
            "verifying the disk" + (policy.isStrict ? ", warnings included" : "")
        case .pack:
            "packing the tree"
        case .digest:
            "computing the digest of the \(step.name.dropFirst("digest-".count)) file"
        case .bootCheck(let action):
            "booting the \(action.format.rawValue) image with \(action.firmware.rawValue) firmware"
        }
    }
}
