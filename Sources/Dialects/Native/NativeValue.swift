/// A value of a definition with its place; texts are as they are written, variables replaced.
indirect enum NativeValue {
    case text(String, Place)
    case list([NativeValue], Place)
    case map([(key: String, keyPlace: Place, value: NativeValue)], Place)

    var place: Place {
        switch self {
        case .text(_, let place), .list(_, let place), .map(_, let place): place
        }
    }
}
