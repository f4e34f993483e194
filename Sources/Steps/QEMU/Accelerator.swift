/// How QEMU runs the guest's instructions.
package enum Accelerator: String, Hashable, Sendable, Codable {
    /// On the host's processor.
    case kvm
    /// Translated, without any help of the host: ten times slower, and works everywhere.
    case tcg
}

/// The accelerator to use on this host, and why.
package struct AcceleratorVerdict: Hashable, Sendable {
    package var accelerator: Accelerator
    /// One line for people.
    package var reason: String
    /// Whether it was found out earlier, since this host booted.
    package var cached: Bool

    package init(accelerator: Accelerator, reason: String, cached: Bool = false) {
        self.accelerator = accelerator
        self.reason = reason
        self.cached = cached
    }
}
