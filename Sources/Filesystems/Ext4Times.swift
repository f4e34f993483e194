import CExt2
package import SystemPackage

/// A filesystem inside a disk file, as libext2fs sees it.
package enum Ext4 {
    /// libext2fs refused: `reason` is its own word for it.
    package struct Failure: Error, Hashable, Sendable {
        package var reason: String

        package init(reason: String) { self.reason = reason }
    }

    /// Sets all times of the filesystem that begins `offset` bytes into `disk` to at most `epoch`, in seconds since
    /// 1970, so that none tells when it was built: `mke2fs -d` copies times from the host.
    package static func settleTimes(_ disk: FilePath, offset: UInt64, epoch: UInt64) throws(Failure) {
        let code = cext2_settle_times(disk.string, offset, epoch)
        guard code == 0 else { throw Failure(reason: String(cString: cext2_message(code))) }
    }
}
