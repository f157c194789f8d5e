#include "core/base/digest.hpp"
#include "core/driver/codec.hpp"
#include "host/commands/doctor/checks.hpp"

#include <algorithm>

namespace bkhost {
namespace {

constexpr std::string_view kSample = "bkhost tries whether this can be read again";

std::vector<uint8_t> passed_through(Session& session, const DriverSpec& spec, int32_t direction,
                                    std::span<const uint8_t> input) {
    Services services(session.log(), session.stop());
    Cipher cipher(set_up(session.registry(), kEncryptor, spec, "keys"), services, direction);
    std::vector<uint8_t> buffer(64 * 1024), output;
    cipher.run(input, BK_FINISH, buffer, [&](std::span<const uint8_t> piece) {
        output.insert(output.end(), piece.begin(), piece.end());
    });
    return output;
}

void check_job(Session& session, const JobConfig& job, const std::string& object,
               DoctorReport& report) {
    const std::string& driver = job.encrypt->driver;
    const std::vector<uint8_t> stored = passed_through(
        session, session.spec(kEncryptor, *job.encrypt), BK_FORWARD, as_bytes(kSample));
    const OptionText identities = session.decrypt({})(driver);
    if (identities.empty()) {
        report.ok(object, "this host can write but not read what it encrypts: no identity is "
                          "configured here");
        return;
    }
    try {
        const std::vector<uint8_t> plain =
            passed_through(session, {driver, identities}, BK_REVERSE, stored);
        if (!std::ranges::equal(plain, as_bytes(kSample)))
            throw bk::Error(BK_E_CORRUPT, "what was decrypted differs from what was encrypted",
                            "do not rely on this encryptor before that is found out");
        report.ok(object, "what it encrypts can be read here");
    } catch (const bk::Error& error) {
        if (error.status() != BK_E_DENIED) throw;
        report.fail(object,
                    "the identities that are configured here cannot read what it encrypts: " +
                        error.message(),
                    "add an identity of its recipients to 'decrypt', or its recipient to the job");
    }
}

} // namespace

void check_keys(Session& session, const DoctorScope& scope, DoctorReport& report) {
    for (const JobConfig& job : scope.jobs) {
        if (!job.encrypt) continue;
        const std::string object = "keys of job '" + job.name + "'";
        try {
            check_job(session, job, object, report);
        } catch (const bk::Error& error) {
            report.fail(object, error);
        }
    }
}

} // namespace bkhost
