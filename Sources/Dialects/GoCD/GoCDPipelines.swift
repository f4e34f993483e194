package import Model

/// Pipelines for GoCD that need no template: build, verify and publish are stages of each one.
package struct GoCDPipelines: Sendable {
    /// What one pipeline builds.
    package struct Image: Hashable, Sendable {
        /// A file that is verified.
        package struct Disk: Hashable, Sendable {
            package var name: String
            /// As the build itself judges it.
            package var settings: VerifySettings

            package init(_ name: String, _ settings: VerifySettings = VerifySettings()) {
                self.name = name
                self.settings = settings
            }
        }

        /// Of the pipeline: letters, digits, `_`, `.` and `-`.
        package var key: String
        /// The program and its arguments that leave the files in the folder `out`.
        package var build: [String]
        /// Disk images in `out`, to which the rules are applied; other outputs are not.
        package var disks: [Disk]
        /// Names of all files that the build promises.
        package var files: [String]

        package init(key: String, build: [String], disks: [Disk], files: [String]) {
            self.key = key
            self.build = build
            self.disks = disks
            self.files = files
        }
    }

    /// The repository with the definitions.
    package var repository: String
    package var branch: String
    package var group: String
    /// Quartz's cron expression of when it is built even without a change; nil: never.
    package var timer: String?
    /// What an agent must have, all of them.
    package var resources: [String]
    /// Where finished files are copied by rsync; nil: they stay GoCD's artifacts.
    package var target: String?

    package init(
        repository: String, branch: String = "main", group: String = "image_factory", timer: String? = nil,
        resources: [String] = [], target: String? = nil
    ) {
        self.repository = repository
        self.branch = branch
        self.group = group
        self.timer = timer
        self.resources = resources
        self.target = target
    }

    /// The folder of a build's results, on agents and among artifacts.
    package static let folder = "out"

    /// A file for GoCD's YAML plugin.
    package func text(_ images: [Image]) -> String {
        var pipelines: [String: YAMLValue] = [:]
        for image in images { pipelines[image.key] = pipeline(image) }
        return YAMLText.document(.map(["format_version": .number(10), "pipelines": .map(pipelines)]))
    }

    private func pipeline(_ image: Image) -> YAMLValue {
        var pipeline: [String: YAMLValue] = [
            "display_order": .number(-1), "group": .text(group), "label_template": .text("${COUNT}"),
            "lock_behavior": .text("unlockWhenFinished"),
            "materials": .map([
                "definitions": .map([
                    "git": .text(repository), "branch": .text(branch), "shallow_clone": .flag(true),
                ])
            ]),
            "stages": .list([build(image), verify(image), publish(image)]),
        ]
        if let timer { pipeline["timer"] = .map(["spec": .text(timer)]) }
        return .map(pipeline)
    }

    private func build(_ image: Image) -> YAMLValue {
        stage(
            "build", fetchesMaterials: true, tasks: [exec(image.build)],
            artifacts: [artifact("build", "\(Self.folder)/*", to: Self.folder)])
    }

    private func verify(_ image: Image) -> YAMLValue {
        let tasks = image.disks.map { disk in
            // The report is a task's output in a file, which only a shell makes; names and options are data.
            exec(
                [
                    "/bin/sh", "-c", #"report=$1; shift; exec image-factory verify --format junit "$@" > "$report""#,
                    "sh",
                ]
                    + ["verify-\(disk.name).xml"] + options(disk.settings) + ["\(Self.folder)/\(disk.name)"])
        }
        let inspection = exec(["image-factory", "inspect", Self.folder])
        return stage(
            "verify", tasks: [fetch(Self.folder, from: "build")] + (tasks.isEmpty ? [inspection] : tasks),
            artifacts: tasks.isEmpty ? [] : [artifact("test", "verify-*.xml", to: "reports")])
    }

    /// What makes `verify` as strict as the build's own check was.
    private func options(_ settings: VerifySettings) -> [String] {
        let waivers = settings.waivers.map { "--waive=\($0.rule)=\($0.reason)" }
        return waivers + (settings.isAdvisory ? ["--advisory"] : settings.isStrict ? ["--strict"] : [])
    }

    private func publish(_ image: Image) -> YAMLValue {
        let copy = target.map { target in
            exec(["rsync", "--archive", "--checksum", "\(Self.folder)/", target])
        }
        return stage(
            "publish", tasks: [fetch(Self.folder, from: "build")] + (copy.map { [$0] } ?? []),
            artifacts: image.files.map { artifact("build", "\(Self.folder)/\($0)", to: "published") })
    }

    private func stage(
        _ name: String, fetchesMaterials: Bool = false, tasks: [YAMLValue], artifacts: [YAMLValue]
    ) -> YAMLValue {
        var job: [String: YAMLValue] = ["tasks": .list(tasks)]
        if !artifacts.isEmpty { job["artifacts"] = .list(artifacts) }
        if !resources.isEmpty { job["resources"] = .list(resources.map { .text($0) }) }
        return .map([
            name: .map([
                "clean_workspace": .flag(true), "fetch_materials": .flag(fetchesMaterials),
                "jobs": .map(["image": .map(job)]),
            ])
        ])
    }

    private func exec(_ words: [String]) -> YAMLValue {
        .map(["exec": .map(["command": .text(words[0]), "arguments": .list(words.dropFirst().map { .text($0) })])])
    }

    private func fetch(_ folder: String, from stage: String) -> YAMLValue {
        .map([
            "fetch": .map([
                "stage": .text(stage), "job": .text("image"), "source": .text(folder), "is_file": .flag(false),
            ])
        ])
    }

    private func artifact(_ kind: String, _ source: String, to destination: String) -> YAMLValue {
        .map([kind: .map(["source": .text(source), "destination": .text(destination)])])
    }
}
