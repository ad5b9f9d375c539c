// What stands behind the C interface's opaque pointers.
#pragma once

#include <memory>
#include <vector>

#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/pantanal.h"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/detection_stream.hpp"

struct pantanal_model {
  std::shared_ptr<const pantanal::perch::Model> model;
};

struct pantanal_session {
  pantanal::perch::Session session;
};

struct pantanal_proto_ssm {
  pantanal::heads::ProtoSsm model;
};
