//! Runs a program to its end, and passes on to it the signals that other processes send to this one.
//!
//! A signal to a command that waits for a program is meant for the program, which may handle it. So a handler sends it each
//! signal whose default action would end this process. Three kinds are not sent:
//!
//! - Signals that a key on the terminal raises: the program is in the same process group and gets them itself.
//! - Signals that the program sends to its parent process.
//! - Signals that this process was started to ignore, as by nohup: the program ignores them too.
//!
//! All signals are blocked from before the program starts until the handlers are set, so none is lost in between. The program
//! is not reaped before the handler has stopped sending: no other process can have its number.

use crate::signals;
use rigz::raw::process::{BlockedSignals, errno, set_errno};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering};

/// The signals whose default action ends a process, with the real-time signals; without `SIGKILL`, and without those that report
/// a fault of this process (`SIGSEGV` and similar).
const PASSED_ON: [libc::c_int; 16] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPWR,
    libc::SIGSTKFLT,
    libc::SIGXCPU,
    libc::SIGXFSZ,
    libc::SIGPIPE,
    libc::SIGABRT,
];

/// The process that signals are passed on to; 0 if there is none. The handler may run on any thread, but the value is all that
/// it reads.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Starts a program and waits for its end.
pub(crate) fn run(program: &mut Command) -> io::Result<ExitStatus> {
    let mut running = {
        let before = blocked_signals();
        let _blocked = BlockedSignals::new();
        // SAFETY: between fork and exec it only calls `pthread_sigmask`, which is allowed there.
        unsafe {
            program.pre_exec(move || {
                set_blocked_signals(&before);
                Ok(())
            });
        }
        let running = program.spawn()?;
        CHILD.store(running.id().cast_signed(), Ordering::Relaxed);
        for signal in PASSED_ON.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            catch(signal);
        }
        running
    };
    wait_without_reaping(running.id());
    CHILD.store(0, Ordering::Relaxed);
    running.wait()
}

/// Sets the handler, unless the signal is ignored.
fn catch(signal: libc::c_int) {
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: `before` is writable, and no new action is given.
    if unsafe { libc::sigaction(signal, null(), before.as_mut_ptr()) } != 0 {
        return;
    }
    // SAFETY: the call succeeded, so it filled `before`.
    let before = unsafe { before.assume_init() }.sa_sigaction;
    let is_ignored = match signal {
        // Rust's runtime ignores it.
        libc::SIGPIPE => signals::is_pipe_ignored(),
        _ => before == libc::SIG_IGN,
    };
    if is_ignored {
        return;
    }
    // SAFETY: all-zero bytes are a valid action: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_signal;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // SAFETY: `action` is readable, and the handler calls only functions that are allowed in a handler.
    unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
}

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let child = CHILD.load(Ordering::Relaxed);
    // SAFETY: with SA_SIGINFO the kernel passes a valid pointer.
    let info = unsafe { &*info };
    let is_key = matches!(signal, libc::SIGINT | libc::SIGQUIT) && info.si_code == libc::SI_KERNEL;
    // SAFETY: signals with these codes, which processes send, have the sender's number.
    let is_from_child = info.si_code <= libc::SI_USER && unsafe { info.si_pid() } == child;
    if child == 0 || is_key || is_from_child {
        return;
    }
    let before = errno();
    // SAFETY: `kill` may be called in a handler; the child has not been reaped, see `run`.
    unsafe { libc::kill(child, signal) };
    set_errno(before);
}

/// Waits until the process has ended. Its number stays in use.
fn wait_without_reaping(process: u32) {
    loop {
        let mut info = MaybeUninit::uninit();
        // SAFETY: `info` is writable.
        let outcome =
            unsafe { libc::waitid(libc::P_PID, process, info.as_mut_ptr(), libc::WEXITED | libc::WNOWAIT) };
        // Any other failure is reported by the call that reaps.
        if outcome == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

fn blocked_signals() -> libc::sigset_t {
    let mut blocked = MaybeUninit::uninit();
    // SAFETY: `blocked` is writable, and no change is requested.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, null(), blocked.as_mut_ptr()) };
    // SAFETY: with valid arguments the call above cannot fail, and then it has written `blocked`.
    unsafe { blocked.assume_init() }
}

fn set_blocked_signals(blocked: &libc::sigset_t) {
    // SAFETY: `blocked` came from `pthread_sigmask`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, blocked, null_mut()) };
}
