//! What a system call can fail with, in the words of the C library.

macro_rules! errnos {
    ($($name:ident $number:literal $text:literal,)*) => {
        /// Why a system call failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Errno { $($name = $number,)* }

        impl Errno {
            /// `strerror`'s words, e.g. `No such file or directory`.
            pub fn text(self) -> &'static str {
                match self { $(Errno::$name => $text,)* }
            }

            /// Linux's number.
            pub fn number(self) -> i32 {
                self as i32
            }
        }
    };
}

errnos! {
    Perm 1 "Operation not permitted",
    NoEnt 2 "No such file or directory",
    Srch 3 "No such process",
    Intr 4 "Interrupted system call",
    Io 5 "Input/output error",
    TooBig 7 "Argument list too long",
    NoExec 8 "Exec format error",
    BadF 9 "Bad file descriptor",
    Child 10 "No child processes",
    Again 11 "Resource temporarily unavailable",
    NoMem 12 "Cannot allocate memory",
    Access 13 "Permission denied",
    Busy 16 "Device or resource busy",
    Exist 17 "File exists",
    XDev 18 "Invalid cross-device link",
    NotDir 20 "Not a directory",
    IsDir 21 "Is a directory",
    Inval 22 "Invalid argument",
    MFile 24 "Too many open files",
    NotTty 25 "Inappropriate ioctl for device",
    TxtBsy 26 "Text file busy",
    FBig 27 "File too large",
    NoSpc 28 "No space left on device",
    SPipe 29 "Illegal seek",
    RoFs 30 "Read-only file system",
    MLink 31 "Too many links",
    Pipe 32 "Broken pipe",
    Range 34 "Numerical result out of range",
    NameTooLong 36 "File name too long",
    NoSys 38 "Function not implemented",
    NotEmpty 39 "Directory not empty",
    Loop 40 "Too many levels of symbolic links",
    NotSock 88 "Socket operation on non-socket",
    AddrInUse 98 "Address already in use",
    AddrNotAvail 99 "Cannot assign requested address",
    NetUnreach 101 "Network is unreachable",
    ConnReset 104 "Connection reset by peer",
    NotConn 107 "Transport endpoint is not connected",
    TimedOut 110 "Connection timed out",
    ConnRefused 111 "Connection refused",
    HostUnreach 113 "No route to host",
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
