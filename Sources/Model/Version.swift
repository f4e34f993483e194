/// The version of the product, in this one place: `make dist` and `--version` read it.
package enum ImageFactoryVersion {
    package static let current = "0.1.0"
}
