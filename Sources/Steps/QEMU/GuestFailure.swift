package import Model

/// A guest that did not do what it should.
package struct GuestFailure: Error, Sendable, CustomStringConvertible {
    /// Completes "the guest failed: …".
    package var reason: String
    /// Whether the accelerator may be to blame: an internal error of KVM, a guest that never
    /// said a word or that does nothing, a QEMU that does not start.
    package var accuses: Bool
    /// The same for users, with the place of the evidence.
    package var error: FactoryError

    package var description: String { error.description }
}
