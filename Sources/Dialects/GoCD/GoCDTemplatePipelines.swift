/// The pipelines of gen-vm-image's option --generate-gocd-config: they use a template that the server has.
package struct GoCDTemplatePipelines: Sendable {
    /// The Git branch of the pipelines' material.
    package var branch: String
    /// Whether the lock is spelt as gen-vm-image did, which GoCD does not know and ignores.
    package var usesOldSpelling: Bool

    package init(branch: String = "main", usesOldSpelling: Bool = false) {
        self.branch = branch
        self.usesOldSpelling = usesOldSpelling
    }

    private static let group = "bare_metal_vm_image"
    private static let project = "gen-vm-image"

    /// A file for GoCD's YAML plugin: a pipeline for each image.
    package func text(_ architecture: ImageArchitecture) -> String {
        var pipelines: [String: YAMLValue] = [:]
        for image in architecture.images { pipelines[image.key] = pipeline(image) }
        return YAMLText.document(
            .map([
                "format_version": .number(10), "pipelines": .map(pipelines),
                "environments": .map([
                    Self.group: .map([
                        "environment_variables": .map(["GIT_USER": .text("{{SECRET:[github][username]}}")]),
                        "pipelines": .list(architecture.images.map { .text($0.key) }),
                    ])
                ]),
            ]))
    }

    private func pipeline(_ image: ImageArchitecture.Image) -> YAMLValue {
        .map([
            "display_order": .number(-1), "group": .text(Self.group), "label_template": .text("${COUNT}"),
            usesOldSpelling ? "lock_behaviour" : "lock_behavior": .text("none"),
            "materials": .map([
                "ucphhpc_images": .map([
                    "branch": .text(branch), "destination": .text(Self.project),
                    "git": .text("https://github.com/ucphhpc/gen-vm-image.git"),
                    "password": .text("{{SECRET:[github][access_token]}}"), "username": .text("${GIT_USER}"),
                ])
            ]),
            "parameters": .map([
                "ARGS": .text(""), "COMMIT_TAG": .text("GO_REVISION_SIF_VM_IMAGES"), "DEFAULT_TAG": tag(image.version),
                "IMAGE": .text(image.name), "IMAGE_PIPELINE": .text(image.key),
                "PUSH_DIRECTORY": .text("publish-docker-scripts"), "SRC_DIRECTORY": .text(Self.project),
                "TEST_DIRECTORY": .text(Self.project),
            ]),
            "template": .text(Self.group),
        ])
    }

    /// A number stays one only where every reader gives its digits back: 9.10 would become 9.1.
    private func tag(_ version: LiteralText?) -> YAMLValue {
        guard let version else { return .text("") }
        let isSafe = version.isPlain && PythonScalar(plain: version.text).string == version.text
        return isSafe ? .verbatim(version.text) : .text(version.text)
    }
}
