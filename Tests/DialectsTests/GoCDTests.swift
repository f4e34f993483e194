import Dialects
import TestSupport
import Testing
import Yams

@Suite struct GoCDTests {
    @Test func `The golden pair of the older program is met to the byte`() throws {
        let images = try ArchitectureFile.parse(ArchitectureFile.golden("two-images.architecture"), for: .seed)
        let text = GoCDTemplatePipelines(usesOldSpelling: true).text(images.architecture)
        #expect(text == String(decoding: try ArchitectureFile.golden("two-images.gocd-compat"), as: UTF8.self))
    }

    @Test func `Without the old spelling the lock is one that GoCD knows`() throws {
        let images = try ArchitectureFile.parse(ArchitectureFile.golden("two-images.architecture"), for: .seed)
        let known = String(decoding: try ArchitectureFile.golden("two-images.gocd-compat"), as: UTF8.self)
        #expect(
            GoCDTemplatePipelines(branch: "main").text(images.architecture)
                == known.replacing("lock_behaviour", with: "lock_behavior"))
    }

    @Test(arguments: [("site", ArchitectureGeneration.seed), ("many", .current), ("versions", .current)])
    func `Other files give pipelines of the same shape`(name: String, generation: ArchitectureGeneration) throws {
        let images = try ArchitectureFile.parse(ArchitectureFile.golden(name + ".architecture"), for: generation)
        let text = GoCDTemplatePipelines(branch: "work").text(images.architecture)
        #expect(try text == Golden.expected(name + ".gocd.yml", for: text))
        #expect(GoCDStructure.problems(in: text) == [])
    }

    @Test func `Pipelines of our own need no template and are what the plugin documents`() throws {
        let pipelines = GoCDPipelines(
            repository: "https://git.example.org/images.git", timer: "0 0 4 ? * SUN", resources: ["kvm"],
            target: "mirror.example.org::images/")
        let text = pipelines.text([
            .init(
                key: "debian-13", build: ["image-factory", "build", "examples/debian-13.yaml", "--output", "out"],
                disks: ["debian-13-1.0.qcow2"], files: ["debian-13-1.0.qcow2", "debian-13-1.0.tar.zst"]),
            .init(
                key: "tree", build: ["image-factory", "build", "tree's.yaml", "--output", "out"], disks: [],
                files: ["tree-1.tar"]),
        ])
        #expect(try text == Golden.expected("own.gocd.yml", for: text))
        #expect(GoCDStructure.problems(in: text) == [])
        #expect(
            GoCDStructure.stages(in: text) == [
                "debian-13": ["build", "verify", "publish"], "tree": ["build", "verify", "publish"],
            ])
    }

    @Test func `What the plugin does not document is found`() {
        let text = """
            format_version: 10
            jobs: {}
            pipelines:
              a:
                group: no blanks
                lock_behaviour: none
                materials: {m: {branch: main}}
                stages: [{build: {jobs: {j: {tasks: [{run: {}}], resources: [a], elastic_profile_id: b}}}}]
            """
        #expect(
            GoCDStructure.problems(in: text) == [
                "jobs is invalid, expected format_version, pipelines, environments, or common",
                "a: the group 'no blanks' has other characters than letters, digits and _",
                "a: lock_behaviour is not documented", "a: the material m is of no kind",
                "a: run is no task", "a: resources and elastic_profile_id exclude each other",
            ])
    }
}

/// The structure that the README of GoCD's YAML plugin documents.
private enum GoCDStructure {
    private static let pipelineKeys: Set<String> = [
        "group", "label_template", "lock_behavior", "display_order", "timer", "tracking_tool", "environment_variables",
        "secure_variables", "parameters", "materials", "stages", "template",
    ]
    private static let materialKinds: Set<String> = [
        "git", "svn", "hg", "p4", "tfs", "pipeline", "package", "scm", "configrepo",
    ]
    private static let stageKeys: Set<String> = [
        "clean_workspace", "fetch_materials", "keep_artifacts", "approval", "jobs", "environment_variables",
    ]
    private static let jobKeys: Set<String> = [
        "timeout", "run_instances", "resources", "elastic_profile_id", "artifacts", "tabs", "tasks",
        "environment_variables",
    ]
    private static let taskKeys: [String: Set<String>] = [
        "exec": ["command", "arguments", "working_directory", "run_if", "on_cancel"],
        "fetch": ["pipeline", "stage", "job", "source", "destination", "is_file", "run_if", "artifact_origin"],
        "script": [], "ant": [], "nant": [], "rake": [], "plugin": [],
    ]

    static func stages(in text: String) -> [String: [String]] {
        guard let root = try? compose(yaml: text), let pipelines = root["pipelines"]?.mapping else { return [:] }
        var found: [String: [String]] = [:]
        for (key, pipeline) in pipelines {
            found[key.string ?? ""] = pipeline["stages"]?.sequence?.compactMap { $0.mapping?.keys.first?.string }
        }
        return found
    }

    static func problems(in text: String) -> [String] {
        guard let root = try? compose(yaml: text), let map = root.mapping else { return ["this is no map"] }
        var problems: [String] = []
        for (key, _) in map
        where !["format_version", "pipelines", "environments", "common"].contains(key.string ?? "") {
            problems.append(
                "\(key.string ?? "") is invalid, expected format_version, pipelines, environments, or common")
        }
        if root["format_version"]?.int != 10 { problems.append("the format is not 10") }
        for (key, pipeline) in root["pipelines"]?.mapping ?? [:] {
            problems += self.problems(of: pipeline).map { "\(key.string ?? ""): \($0)" }
        }
        return problems
    }

    private static func problems(of pipeline: Node) -> [String] {
        var problems: [String] = []
        let group = pipeline["group"]?.string ?? ""
        if group.wholeMatch(of: /[A-Za-z0-9_]+/) == nil {
            problems.append("the group '\(group)' has other characters than letters, digits and _")
        }
        for (key, _) in pipeline.mapping ?? [:] where !pipelineKeys.contains(key.string ?? "") {
            problems.append("\(key.string ?? "") is not documented")
        }
        let locks = ["lockOnFailure", "unlockWhenFinished", "none"]
        if let lock = pipeline["lock_behavior"]?.string, !locks.contains(lock) { problems.append("\(lock) is no lock") }
        if (pipeline["stages"] == nil) == (pipeline["template"] == nil) {
            problems.append("it needs either stages or a template")
        }
        if let materials = pipeline["materials"]?.mapping {
            for (key, material) in materials {
                let kinds = material.mapping?.keys.filter { materialKinds.contains($0.string ?? "") }.count
                if kinds != 1 { problems.append("the material \(key.string ?? "") is of no kind") }
            }
        } else {
            problems.append("it has no materials")
        }
        for stage in pipeline["stages"]?.sequence ?? [] {
            for (_, content) in stage.mapping ?? [:] { problems += self.problems(ofStage: content) }
        }
        return problems
    }

    private static func problems(ofStage stage: Node) -> [String] {
        var problems = unknown(stage, stageKeys)
        for (_, job) in stage["jobs"]?.mapping ?? [:] {
            problems += unknown(job, jobKeys)
            for task in job["tasks"]?.sequence ?? [] {
                for (key, content) in task.mapping ?? [:] {
                    if let known = taskKeys[key.string ?? ""] {
                        problems += unknown(content, known)
                    } else {
                        problems.append("\(key.string ?? "") is no task")
                    }
                }
            }
            for artifact in job["artifacts"]?.sequence ?? [] {
                for (key, content) in artifact.mapping ?? [:] {
                    if !["build", "test", "external"].contains(key.string ?? "") {
                        problems.append("\(key.string ?? "") is no artifact")
                    }
                    problems += unknown(content, ["source", "destination"])
                }
            }
            if job["resources"] != nil, job["elastic_profile_id"] != nil {
                problems.append("resources and elastic_profile_id exclude each other")
            }
        }
        return problems
    }

    private static func unknown(_ node: Node, _ known: Set<String>) -> [String] {
        (node.mapping ?? [:]).keys.compactMap(\.string).filter { !known.contains($0) }.map { "\($0) is not documented" }
    }
}
