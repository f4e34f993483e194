/// How the user wants a machine of libvirt, in which an image is set up.
package struct LibvirtMachine: Hashable, Sendable {
    /// The domain's XML with places for values, `{{ name }}`; nil: the program's own.
    package var template: String?
    package var values: [String: String]
    /// Nil: one that nobody else has.
    package var name: String?
    /// What `virsh undefine` is told beside the name: `nvram`, `managed_save`.
    package var removeOptions: [String]

    package init(
        template: String? = nil, values: [String: String] = [:], name: String? = nil, removeOptions: [String] = []
    ) {
        self.template = template
        self.values = values
        self.name = name
        self.removeOptions = removeOptions
    }
}
