import Dialects
import Model
import Planning
import TestSupport
import Testing

@Suite struct ImagePlanTests {
    private static let source = Source(.https, "https://mirror.example.org/cloud.qcow2")

    private static func web(_ change: (inout ImageDefinition, inout ImageBase) -> Void = { _, _ in })
        -> ImageDefinition
    {
        var base = ImageBase(
            input: .init(source), format: .raw, size: .gibi(4),
            setup: CloudSetup(
                files: [SeedFile(.userData, path: "/home/me/web", digest: Digest(of: [1]), size: ByteCount(1))]),
            reset: ResetAction(.defaults, makesHostKeyUnit: false))
        var definition = ImageDefinition(
            name: "web", version: "1", os: OperatingSystem(distribution: "debian", release: "trixie"),
            outputs: [Output(.raw)], bootCheck: BootCheck(enabled: false))
        change(&definition, &base)
        definition.base = .image(base)
        return definition
    }

    private func plan(_ definition: ImageDefinition) throws -> BuildPlan {
        var facts = PlanningFacts(
            tools: Dictionary(
                uniqueKeysWithValues: ([Planner.builder] + Planner.tools(for: definition)).map { ($0, "1.0") }))
        if case .image(let base) = definition.base, let input = base.input {
            facts.sources[input.source] = input.source.digest ?? Digest(of: [7])
        }
        return try Planner.plan(definition, facts: facts)
    }

    @Test func `The example of a base image has the plan that was agreed on`() throws {
        let name = "debian-13-image"
        let names = DistributionNames([("debian", [("trixie", ["13"])], ["main"])])
        let definition = try NativeDialect.parse(
            bytes: try RepositoryFiles.example(name), file: name + ".yaml", set: [], distributions: names,
            files: LocalFiles { (Digest(of: Array($0.utf8)), ByteCount(8)) }
        ).definition
        let text = try Canonical.text(plan(definition))
        #expect(text == (try Golden.expected(name + ".json", for: text)))
    }

    @Test func `An image is brought in, set up, reset and verified`() throws {
        let plan = try plan(Self.web())
        #expect(plan.steps.map(\.name) == ["import", "cloud-setup", "reset", "verify", "digest-raw"])
        #expect(plan.step(named: "cloud-setup")?.inputs["disk"] == StepInput(step: "import", file: "disk.raw"))
        #expect(plan.step(named: "reset")?.inputs["disk"] == StepInput(step: "cloud-setup", file: "disk.raw"))
        #expect(plan.step(named: "verify")?.inputs["disk"] == StepInput(step: "reset", file: "disk.raw"))
        #expect(plan.artifacts.map(\.source) == [StepInput(step: "reset", file: "disk.raw")])
    }

    @Test func `What is not asked for is not done`() throws {
        let neither = try plan(
            Self.web { _, base in
                base.setup = nil
                base.reset = nil
            })
        #expect(neither.steps.map(\.name) == ["import", "verify", "digest-raw"])
        let reset = try plan(Self.web { $1.setup = nil })
        #expect(reset.steps.map(\.name) == ["import", "reset", "verify", "digest-raw"])
        #expect(neither.ids["import"] == reset.ids["import"])
    }

    @Test func `Formats of other hypervisors are written from the same disk, which is the one that is booted`() throws {
        let plan = try plan(
            Self.web { definition, _ in
                definition.outputs = [.vmdk, .vhd, .vhdx, .vdi].map { Output($0) }
                definition.bootCheck.enabled = true
            })
        let exports = ["export-vmdk", "export-vhd", "export-vhdx", "export-vdi"]
        #expect(Array(plan.steps.map(\.name).dropFirst(4)) == exports + ["digest-raw", "boot-bios", "boot-uefi"])
        #expect(plan.artifacts.map(\.file) == ["web-1.vmdk", "web-1.vhd", "web-1.vhdx", "web-1.vdi"])
        #expect(plan.artifacts.map(\.digestStep) == exports)
        #expect(plan.step(named: "boot-uefi")?.inputs["disk"] == StepInput(step: "reset", file: "disk.raw"))
    }

    @Test func `Where things come from and lie is no part of a plan`() throws {
        let moved = Self.web { _, base in
            base.input?.source = Source(.file, "/elsewhere/cloud.qcow2", digest: Digest(of: [7]))
            base.setup?.files[0].path = "/elsewhere/web"
        }
        #expect(try plan(Self.web()) == plan(moved))
        #expect(try !Canonical.text(plan(moved)).contains("elsewhere"))
    }

    @Test func `What is changed decides what is made again`() throws {
        let base = try plan(Self.web())
        let tail: Set = ["verify", "digest-raw"]
        #expect(
            base.stepsChanged(in: try plan(Self.web { $1.setup?.files[0].digest = Digest(of: [2]) }))
                == tail.union(["cloud-setup", "reset"]))
        #expect(
            base.stepsChanged(in: try plan(Self.web { $1.reset?.makesHostKeyUnit = true })) == tail.union(["reset"]))
        // A guest whose root cannot be edited from outside resets itself.
        #expect(
            base.stepsChanged(in: try plan(Self.web { $1.reset?.operations = ResetSelection([.machineID]) }))
                == tail.union(["cloud-setup", "reset"]))
        #expect(base.stepsChanged(in: try plan(Self.web { $1.size = .gibi(5) })) == Set(base.ids.keys))
    }

    @Test(arguments: [(false, false, true), (false, true, false), (true, false, false)])
    func `The rules end the build of an image that was reset, or where they are strict`(
        isReset: Bool, isStrict: Bool, isAdvisory: Bool
    ) throws {
        let plan = try plan(
            Self.web { definition, base in
                definition.verify.isStrict = isStrict
                if !isReset { base.reset = nil }
            })
        #expect(
            plan.step(named: "verify")?.action == .verify(VerifyPolicy(isStrict: isStrict, isAdvisory: isAdvisory)))
    }

    @Test func `There is no tree`() {
        let error = #expect(throws: FactoryError.self) {
            try plan(Self.web { definition, _ in definition.outputs = [Output(.tar)] })
        }
        #expect(error?.code == .definition)
    }
}
