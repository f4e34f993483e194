/// The version of this program, which a release raises.
package enum ImageFactoryVersion {
    package static let current = "0.1.0"
}
